"""Recompute every pool of a review in R and show the largest difference of each quantity.

usage: .venv/bin/python benchmarks/pools_in_r.py [--write] [REVIEW ...]     (needs R with metafor)

``pools_check.R`` reads effects.csv and covariance.csv of each synthesis of a finished run and fits
everything again: what stands in pooled.csv, subgroup_test.csv and leave_one_out.csv, and of
multiverse.csv the specifications whose effects stand in effects.csv (the derivation of the primary
result and no inconsistently reported value). With --write the section of docs/benchmarks.md is
made. Fails if a number has no counterpart or differs by more than a part in 10^6, the tolerance of
an iterated tau2.
A small review comes from a run in a copy: snakemake --cores 1 --directory COPY.
"""

from __future__ import annotations

import csv
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from osteometa.protocol.config import Config
from osteometa.validation.review import check_review

PROJECT = Path(__file__).resolve().parents[1]
PAGE = PROJECT / "docs/benchmarks.md"
START, END = "<!-- pools: begin -->", "<!-- pools: end -->"
TOLERANCE = 1e-6
COMPARED = {
    "pooled": "estimate se ci_low ci_high pi_low pi_high tau2 tau2_ci_low tau2_ci_high i2 h2 q "
    "q_df q_p statistic df p",
    "subgroup_test": "statistic df1 df2 p",
    "leave_one_out": "estimate se ci_low ci_high p tau2 i2 q q_p",
    "multiverse": "estimate ci_low ci_high",
}
VARIANCES = ("tau2", "tau2_ci_low", "tau2_ci_high")


@dataclass(frozen=True, slots=True)
class Compared:
    """One number of ours beside R's."""

    file: str
    key: str
    quantity: str
    ours: float
    theirs: float | None
    floor: float
    """A smaller number has its difference relative to this, since 0 has none."""
    linked: bool
    """Whether a covariance links two effects of the pool."""

    @property
    def difference(self) -> float:
        """The relative difference; infinite where R has no such number."""
        if self.theirs is None:
            return float("inf")
        if self.ours == self.theirs:
            return 0.0
        return abs(self.ours - self.theirs) / max(abs(self.theirs), self.floor)


def table(path: Path) -> list[dict[str, str]]:
    """Return the rows of a table; none where it does not exist."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def asked_for(config: Config) -> None:
    """Refuse a review whose choices are not those that the R script has."""
    pooling = config.pooling
    if (pooling.method, pooling.ci, pooling.pi_df) != ("REML", "hksj-floor", "k-1"):
        sys.exit("pools_check.R knows REML, hksj-floor and k-1 only")


def in_r(review: Path, config: Config) -> dict[tuple[str, str, str], float]:
    """Return R's numbers by file, key and quantity."""
    inclusion = config.multiverse.inclusion
    named = ";".join(f"{name}={' '.join(flags)}" for name, flags in inclusion.items())
    with tempfile.TemporaryDirectory() as folder:
        answers = Path(folder, "r.csv")
        script = PROJECT / "benchmarks/pools_check.R"
        up_to = str(config.subgroups.common_tau2_up_to)
        subprocess.run(
            ["Rscript", str(script), str(review / "results"), named, up_to, str(answers)],
            check=True,
        )
        rows = table(answers)
    return {(row["file"], row["key"], row["quantity"]): float(row["value"]) for row in rows}


def keyed(folder: Path, primary: str) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Yield file, key and row of every result of a synthesis that R recomputes."""
    name = folder.name
    for row in table(folder / "pooled.csv"):
        parts = (row[x] for x in ("synthesis", "measure", "group", "model", "ci_method"))
        yield "pooled", "|".join(parts), row
    for row in table(folder / "subgroup_test.csv"):
        yield "subgroup_test", f"{name}|{row['measure']}", row
    for row in table(folder / "leave_one_out.csv"):
        if row["status"] == "ok":
            yield "leave_one_out", f"{name}|{primary}|{row['study_id']}", row
    for row in table(folder / "multiverse.csv"):
        if (row["derivation"], row["inconsistent_data"]) == ("primary", "excluded"):
            parts = (row[x] for x in ("measure", "inclusion", "designs", "tau2", "ci"))
            yield "multiverse", "|".join((name, *parts)), row


def floor(quantity: str, row: dict[str, str], variance: float) -> float:
    """Return a thousandth of the scale of a quantity that may be 0."""
    if quantity in VARIANCES:
        return 1e-3 * variance
    if quantity in ("estimate", "ci_low", "ci_high", "pi_low", "pi_high"):
        return 1e-3 * (float(row["ci_high"]) - float(row["ci_low"]))
    return {"i2": 0.1, "statistic": 1e-3}.get(quantity, 0.0)


def compared(review: Path) -> list[Compared]:
    """Return every number of the review that R recomputes."""
    config = check_review(review).config
    asked_for(config)
    theirs = in_r(review, config)
    primary = {row["synthesis"]: row["measure"] for row in table(review / "results/syntheses.csv")}
    found = []
    for name, measure in primary.items():
        folder = review / "results" / name
        effects = [e for e in table(folder / "effects.csv") if e["pooled"] == "yes"]
        ids = {e["effect_id"]: e["measure"] for e in effects}
        links = table(folder / "covariance.csv")
        linked = {ids[x["effect_id_1"]] for x in links if set(list(x.values())[:2]) <= set(ids)}
        for file, key, row in keyed(folder, measure):
            own = [float(e["vi"]) for e in effects if e["measure"] == row.get("measure", measure)]
            variance = sum(own) / len(own) if own else 1.0
            for quantity in COMPARED[file].split():
                if row[quantity]:
                    value, scale = float(row[quantity]), floor(quantity, row, variance)
                    other = theirs.get((file, key, quantity))
                    link = row.get("measure", measure) in linked and row.get("group") == "overall"
                    found.append(Compared(file, key, quantity, value, other, scale, link))
    ours = {(row.file, row.key) for row in found}
    for file, key, _ in theirs:
        if file in ("pooled", "subgroup_test") and (file, key) not in ours:
            sys.exit(f"R has a row that {file}.csv has not: {key}")
    return found


def page(rows: dict[str, list[Compared]]) -> str:
    """The section of docs/benchmarks.md."""
    lines = [
        START, "## Pools refitted in R", "",
        "Made by `python benchmarks/pools_in_r.py --write`, which reads `effects.csv` and "
        "`covariance.csv` of a finished run and nothing else of its results. metafor, with tight "
        "convergence, refits every pool: `rma`, and `rma.mv` with an independent tau2 per "
        "effect where effects share a control. Differences are relative to the "
        "value of metafor, or if that is larger to a thousandth of the mean sampling variance "
        "(tau2), of the width of the interval (estimates and limits), of 100 % (I2) or of 1 "
        "(statistic). The results have twelve digits, so that rounding alone gives 5e-12.",
    ]  # fmt: skip
    for review, found in rows.items():
        linked = sum(x.file == "pooled" and x.quantity == "estimate" and x.linked for x in found)
        own = len({x.key for x in found if x.file == "pooled"})
        lines += [
            "",
            f"### {review}",
            "",
            f"{own} pools, {linked} of them with types that share a control.",
            "",
        ]
        lines += ["| table | rows | quantity | numbers | largest |"]
        lines += ["|---|---:|---|---:|---:|"]
        for file, names in COMPARED.items():
            own = [x for x in found if x.file == file]
            for quantity in names.split():
                same = [x for x in own if x.quantity == quantity]
                if same:
                    largest = max(x.difference for x in same)
                    shown = "0" if largest == 0 else f"{largest:.1e}"
                    count = len({x.key for x in own})
                    lines.append(f"| {file} | {count} | {quantity} | {len(same)} | {shown} |")
    return "\n".join([*lines, "", END])


def write(section: str) -> None:
    """Put the section into docs/benchmarks.md, in place of the old one."""
    old = PAGE.read_text(encoding="utf-8")
    if START in old:
        before, rest = old.split(START)
        old = before + section + rest.split(END)[1]
    else:
        old = old.rstrip("\n") + "\n\n" + section + "\n"
    PAGE.write_text(old, encoding="utf-8")


def main() -> None:
    """Print the section, write it if asked to, and name what does not agree."""
    reviews = [Path(x).resolve() for x in sys.argv[1:] if x != "--write"] or [PROJECT]
    rows = {check_review(review).config.title: compared(review) for review in reviews}
    section = page(rows)
    print(section)
    if "--write" in sys.argv:
        write(section)
    failed = [row for found in rows.values() for row in found if row.difference > TOLERANCE]
    for row in failed:
        print(f"not as ours: {row}")
    print(f"{sum(map(len, rows.values()))} numbers compared, {len(failed)} do not agree")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
