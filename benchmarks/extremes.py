"""Extreme numbers in every numeric column of the raw tables and every key of config.yaml.

Each is either refused by the check, with a sentence, or everything after it can be computed:
effects, alternatives, pools, tests of subgroups, sensitivity analyses and the answers to claims.

usage: .venv/bin/python benchmarks/extremes.py [NUMBER] [SEED] [0]    (10,000 and 1 unless given;
0 leaves sensitivity analyses out)
"""

from __future__ import annotations

import random
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

from osteometa.derivation.alternatives import alternatives, split_alternatives
from osteometa.derivation.derive import derive
from osteometa.derivation.extract import subgroup_values
from osteometa.derivation.ledger import ledger_of
from osteometa.directions.p_values import albatross, direction_sets, p_combinations
from osteometa.extraction.reading import read_raw
from osteometa.extraction.tables import ROWS, Tables
from osteometa.io.problems import ProblemsFound, errors_of
from osteometa.protocol.config import Config, from_part, load_config
from osteometa.protocol.dependencies import pool_settings
from osteometa.protocol.sources import read_settings
from osteometa.sensitivity.analyses import sensitivity_tables
from osteometa.synthesis.claims import Results, claim_rows
from osteometa.synthesis.effect_sets import SynthesisData
from osteometa.synthesis.pools import pooled_rows, weighted
from osteometa.synthesis.sets import covariances_in, split, summary_rows
from osteometa.synthesis.subgroup_tests import subgroup_rows, subgroup_tests, type_contrasts
from osteometa.validation.review import check_tables

REVIEWS = Path(__file__).parents[1] / "tests/reviews"
NAMES = ("small", "shared_control", "other_outcomes")
EXTREMES = (
    "0", "-1", "1e-300", "1e-170", "1e-60", "1e-20", "1e-9", "1e-6", "0.001", "0.5", "1", "2", "3",
    "99", "1e4", "1e6", "9999999", "1e8", "1e9", "-1e9", "1e20", "1e60", "1e200", "1e300", "1e308",
    "9" * 60, "0.999999", "0.9999", "1000", "-1000", "100", "50", "2600",
)  # fmt: skip
STATISTICS = ("md", "adj_md", "smd", "t", "f", "p", "r")
ODD = (
    0, -1, 1, 2, 3, 0.001, 1e-9, 1e-300, 0.5, 0.9999, 0.999999999999, -0.9999, 100, 999_999_999,
    10**9, 1e300, float("inf"), float("nan"), True, None, 10**400, [], {}, "x", "",
)  # fmt: skip


def slip_in_tables(tables: Tables, choose: random.Random) -> tuple[str, Tables]:
    """Return one extreme number in one row, in words, and the tables with it; tables may refuse it.

    Raises
    ------
    ValueError
        If the cell does not take the number.
    """
    models = [model for model in ROWS if getattr(tables, model.table) and model.ranges()]
    heavy = [4 if model.table in ("measurements", "contrasts") else 1 for model in models]
    (model,) = choose.choices(models, heavy)
    rows = list(getattr(tables, model.table))
    place = choose.randrange(len(rows))
    cells = {name: getattr(rows[place], name) for name in (*model.columns(), "row")}
    for column in choose.sample(sorted(model.ranges()), choose.choice((1, 1, 1, 2))):
        cells[column] = choose.choice(EXTREMES)
    if model.table == "contrasts" and choose.random() < 0.7:
        cells["statistic"] = choose.choice(STATISTICS)
        cells |= {"p_operator": "="} if cells["p"] is not None else {}
    if model.table == "measurements" and choose.random() < 0.3:
        cells["kind"] = choose.choice(("level", "change", "log_level"))
        cells |= {"spread_kind": "sd"} if cells["spread"] is not None else {}
    words = f"{model.table}:{rows[place].key_text}: " + ", ".join(
        f"{n} {v}" for n, v in cells.items() if v != getattr(rows[place], n)
    )
    try:
        rows[place] = model.model_validate(cells)
    except ValueError as error:
        raise ValueError(words) from error
    return words, replace(tables, **{model.table: tuple(rows)})


def places_in(value: Any, at: tuple = ()) -> Iterator[tuple]:
    """Yield the path of each key and item of settings."""
    inner = value.items() if isinstance(value, dict) else ()
    for key, item in enumerate(value) if isinstance(value, list) else inner:
        yield (*at, key)
        yield from places_in(item, (*at, key))


def slip_in_settings(settings: dict[str, Any], choose: random.Random) -> tuple[str, Config]:
    """Return one odd value of one key, in words, and the config; ProblemsFound if refused."""
    changed = deepcopy(settings)
    *above, key = choose.choice([p for p in places_in(settings) if p[0] != "modalities"])
    odd = choose.choice(ODD)
    reduce(getitem, above, changed)[key] = odd
    try:
        return f"{'.'.join(map(str, (*above, key)))}: {odd!r:.20}", load_config(given=changed)
    except ProblemsFound as error:
        if any("should" in problem.message for problem in error.problems):
            raise RuntimeError(f"not a sentence: {error}") from None
        raise


def compute(tables: Tables, config: Config, seen: set[Any], *, sensitivity: bool = True) -> None:
    """Compute what a run computes of tables that the check has passed, each set of effects once."""
    derived = derive(tables, config)
    ledger_of(tables, derived, config)
    sets = split(derived.effects, derived.entries, config)
    own = split_alternatives(alternatives(tables, config), config) if sensitivity else {}
    values = subgroup_values(derived.effects, tables)
    pooled, contrasts, chosen = {}, {}, {}
    for name, (effects, directions) in sets.items():
        links = covariances_in(effects, derived.covariances)
        settings = from_part(pool_settings(config, name))
        by = (effects, settings, links, values)
        pooled[name] = pooled_rows(name, effects, settings, links)
        chosen[name] = (weighted(effects, settings, links), directions)
        subgroup_tests(name, effects, settings, links)
        subgroup_rows(*by)
        contrasts[name] = type_contrasts(*by)
        key = (tuple((e.effect_id, e.yi, e.vi) for e in effects), settings.model_dump_json())
        if sensitivity and key not in seen:
            seen.add(key)
            outcome = next(s.outcome for s in config.syntheses if s.id == name)
            sensitivity_tables(
                SynthesisData(
                    outcome, tuple(effects), tuple(links), own[name].effects, own[name].covariances,
                    settings,
                )
            )  # fmt: skip
    summary_rows(config, pooled, chosen)
    direction_sets(derived.entries, config)
    p_combinations(derived.entries, tables, config)
    albatross(derived.entries, derived.effects, tables, config)
    results = Results(
        entries=list(derived.entries), pooled=pooled, contrasts=contrasts,
        effects={name: found for name, (found, _) in chosen.items()},
    )  # fmt: skip
    claim_rows(tables.claims, results, config)


def trials(number: int, seed: int) -> Iterator[tuple[str, str, Callable[..., None]]]:
    """Yield number of trials: what is extreme, what the check said, and the computation."""
    choose = random.Random(seed)
    reviews = []
    for name in NAMES:
        settings, _ = read_settings([REVIEWS / name / "config.yaml"], {})
        settings["multiverse"]["cap"] = 50
        tables, _ = read_raw(REVIEWS / name / "data/raw")
        reviews.append((tables, settings, load_config(given=settings)))
    for _ in range(number):
        tables, settings, config = choose.choice(reviews)
        words = ""
        try:
            if choose.random() < 0.15:
                words, config = slip_in_settings(settings, choose)
            else:
                words, tables = slip_in_tables(tables, choose)
            found = check_tables(tables, config)
        except (ProblemsFound, ValueError) as error:
            yield str(error), "refused", lambda **_: None
            continue
        said = "refused" if errors_of(found) else "passed"
        yield words, said, lambda t=tables, c=config, **how: compute(t, c, **how)


def main(number: int = 10_000, seed: int = 1, sensitivity: int = 1) -> int:
    """Try extremes and report each that ends in an exception; 0 leaves sensitivity analyses out."""
    counts: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    seen: set[Any] = set()
    start = time.monotonic()
    for done, (words, said, run) in enumerate(trials(number, seed), start=1):
        counts[said] += 1
        try:
            if said == "passed":
                run(seen=seen, sensitivity=bool(sensitivity))
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            kind = f"{type(error).__name__} in {Path(where.filename).name}:{where.name}: {error}"
            kinds[kind[:70]] += 1
            print(f"{words}\n  {kind}", flush=True)
        if done % 100 == 0:
            spent = time.monotonic() - start
            print(f"{done} tried in {spent:.0f} s, {sum(kinds.values())} failed", file=sys.stderr)
    print(f"{number} tried: {dict(counts)}; {sum(kinds.values())} ended in an exception")
    for kind, times in kinds.most_common():
        print(f"  {times} {kind}")
    return 1 if kinds else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
