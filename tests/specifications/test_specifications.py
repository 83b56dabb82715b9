"""Specifications in product are pools of whole derivations; their summaries are of all rows."""

import itertools
import random
from copy import copy
from xml.etree import ElementTree

import numpy as np
import pytest
from builders import ROOT, SPINE_SYNTHESIS, cases_of, checked
from osteometa.cli import main
from osteometa.comparisons.build import comparisons_of
from osteometa.comparisons.correlations import Correlations
from osteometa.derivation.derive import Estimates, effects_of
from osteometa.derivation.estimate import estimate
from osteometa.figures.files import drawings
from osteometa.figures.settings import FigureSettings
from osteometa.figures.specification import density_figure
from osteometa.io.csv_records import read_records
from osteometa.pooling.model import pool
from osteometa.records.effects import Choice
from osteometa.records.specifications import SpecificationLevel
from osteometa.report.specifications import PAGE
from osteometa.sensitivity.explained_variance import r2_parts
from osteometa.sensitivity.influence import gosh
from osteometa.sensitivity.multiverse import has_any, multiverse
from osteometa.specifications.choices import Candidates
from osteometa.specifications.work import NUMBERS, Work, columns_of_part, is_made, path_of
from osteometa.synthesis.effect_sets import EffectSet
from osteometa.synthesis.sets import covariances_in, split

pytestmark = pytest.mark.slow

SHARED = ROOT / "tests/reviews/shared_control"
REVIEWS = {"spine": ROOT, "shared": SHARED}


def work_of(review, folder=None, limit=None, **multiverse_changes):
    outcome = checked(review)
    choices = outcome.config.multiverse.model_copy(update=multiverse_changes)
    config = outcome.config.model_copy(update={"multiverse": choices})
    synthesis = next(s for s in config.syntheses if s.id == SPINE_SYNTHESIS)
    return Work(outcome.tables, config, synthesis, folder, "x", limit)


@pytest.fixture(scope="module", params=REVIEWS)
def work(request):
    return work_of(REVIEWS[request.param])


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return all specifications of the review that shares a control, and their columns."""
    pytest.importorskip("pyarrow", reason="make scale was not run")
    work = work_of(SHARED, tmp_path_factory.mktemp("made"))
    list(work.make_all(work.parts))
    return work, rows_of(work)


def in_folder(work, folder):
    other = copy(work)  # with what it has computed already
    object.__setattr__(other, "folder", folder)
    return other


def rows_of(work, names=("specification", *NUMBERS, "k", "excludes_null")):
    parts = [columns_of_part(path_of(work.folder, part.number), names) for part in work.parts]
    return {name: np.concatenate([part[name] for part in parts]) for name in names}


def random_choices(combinations, rng):
    choices = combinations.choices()
    keys = dict.fromkeys(choice.key for choice in choices)
    drawn = [rng.choice([None, *(c for c in choices if c.key == key)]) for key in keys]
    return tuple(choice for choice in drawn if choice)


def test_combined_choices_give_what_the_whole_derivation_gives(work):
    rng = random.Random(1)
    some = 0
    for _ in range(8):
        chosen = random_choices(work.combinations, rng)
        found = work.combinations.under(chosen)
        config = work.combinations.config_under(chosen)
        given = any(choice.key == "r" for choice in chosen)
        comparisons = comparisons_of(work.tables, config)
        correlations = Correlations(comparisons, config).under(config, borrow=not given)
        estimates = Estimates(tuple(estimate(comparisons, correlations, config)), correlations)
        whole = effects_of(estimates, work.tables, config)
        effects, _ = split(whole.effects, (), config)[SPINE_SYNTHESIS]
        assert found.effects == tuple(effects)
        assert found.covariances == tuple(covariances_in(effects, whole.covariances))
        some += len(found.covariances)
    assert some or work.tables is checked(ROOT).tables


def expected(work, one, number):
    """Return the pool of one specification, by the solver of one model on the chosen effects."""
    words = one.words(number)
    chosen = [Choice(key, words[key]) for key in one.derivation if words[key] != "primary"]
    data = work.combinations.under(chosen)
    found = Candidates.of(data, one.measure)
    wanted = {"pooled": True, "other": words["designs"] == "all designs",
              "cautious": words["inconsistent_data"] == "most cautious"}  # fmt: skip
    kept = [
        effect
        for effect, kind in zip(found.effects.effects, found.kinds, strict=True)
        if wanted[kind]
        and not any(
            words[name] == "excluded" and has_any(effect, flags, data)
            for name, flags in one.rules.items()
        )
    ]
    pooled = EffectSet(tuple(kept), found.effects.covariances)
    y, v, V, studies = pooled.data
    return pool(y, v, V=V, studies=studies, method=words["method"], ci=words["ci"]), V


def test_specifications_are_pools_of_their_effects(made):
    work, rows = made
    rng, shared = random.Random(2), 0
    for i in rng.sample(range(len(rows["k"])), 60):
        number = int(rows["specification"][i])
        one = next(o for o in work.measures if o.first <= number < o.first + o.size)
        found, V = expected(work, one, number)
        shared += V is not None
        assert rows["k"][i] == found.k
        for name in NUMBERS:
            close = pytest.approx(getattr(found, name), rel=1e-8, abs=1e-12)
            assert rows[name][i] == close, (name, one.words(number))
        assert rows["excludes_null"][i] == (not found.ci_low <= 0 <= found.ci_high)
    assert shared


def test_one_choice_at_a_time_is_the_multiverse(made):
    work, rows = made
    theirs, _ = multiverse(cases_of(SHARED, [SPINE_SYNTHESIS])[SPINE_SYNTHESIS])
    place = {int(n): i for i, n in enumerate(rows["specification"])}
    compared = 0
    for row in theirs:
        one = next(o for o in work.measures if o.measure == row.measure)
        levels = {"designs": row.designs, "inconsistent_data": row.inconsistent_data,
                  "method": row.tau2, "ci": row.ci}  # fmt: skip
        if row.derivation != "primary":
            levels[Choice.read(row.derivation).key] = Choice.read(row.derivation).value
        if row.inclusion != "all":
            levels[row.inclusion] = "excluded"
        if row.inconsistent_data == "most cautious" or any(
            level not in one.columns.get(name, ()) for name, level in levels.items()
        ):
            continue
        i = place[number_with(one, levels)]
        compared += 1
        assert rows["estimate"][i] == pytest.approx(row.estimate, rel=1e-9)
        assert rows["ci_high"][i] == pytest.approx(row.ci_high, rel=1e-9)
    assert compared > 20


def number_with(one, levels):
    columns = one.columns
    *names, _, _ = columns
    digits = [columns[name].index(levels.get(name, columns[name][0])) for name in names]
    model = one.models.index((levels["method"], levels["ci"]))
    radices = [*(len(columns[name]) for name in names), len(one.models)]
    return one.first + int(np.ravel_multi_index([*digits, model], radices))


def test_the_primary_specification_is_the_primary_pool(work):
    one = work.measures[0]
    found, _ = expected(work, one, work.primary)
    data = work.combinations.under(())
    y, v, V, studies = data.primary_set().data
    pooling = work.config.pooling
    assert found == pool(y, v, V=V, studies=studies, method=pooling.method, ci=pooling.ci)


def test_summaries_are_those_of_all_rows(made):
    work, rows = made
    found = work.summarised()
    for one, row in zip(work.measures, found.summary, strict=False):
        own = (rows["specification"] >= one.first) & (rows["specification"] < one.first + one.size)
        y = rows["estimate"][own]
        assert row.specifications == own.sum()
        assert (row.lowest, row.highest) == (y.min(), y.max())
        assert row.excludes_null == pytest.approx(100 * rows["excludes_null"][own].mean())
        for name, q in (("q025", 0.025), ("median", 0.5), ("q975", 0.975)):
            exact = np.quantile(y, q, method="inverted_cdf")
            assert abs(getattr(row, name) - exact) <= row.quantile_error
        numbers = rows["specification"][own]
        once = one.moves_estimate(numbers)
        places = {n: p for n, p in one.places(numbers).items() if n != "ci"}
        levels = [tuple(map(str, row)) for row in np.array(list(places.values())).T[once]]
        parts = r2_parts(levels, y[once])
        shares = {r.choice: r.share for r in found.levels if r.measure == one.measure}
        assert [shares[name] for name in places] == pytest.approx(
            [100 * part for part in parts], abs=1e-6
        )
        for level in (r for r in found.levels if r.measure == one.measure and r.level):
            place = one.columns[level.choice].index(level.level)
            chosen = one.places(numbers)[level.choice] == place
            assert level.specifications == chosen.sum()
            if chosen.any():
                assert level.mean == pytest.approx(y[chosen].mean())
        curve = [r for r in found.curve if r.measure == one.measure]
        assert curve[-1].stop == pytest.approx(100)
        assert [r.estimate for r in curve] == sorted(r.estimate for r in curve)


@pytest.mark.slow
def test_a_killed_command_goes_on_and_shards_give_the_same_bytes(made, tmp_path, monkeypatch):
    work, _ = made
    monkeypatch.setattr("osteometa.specifications.choices.PART", 4000)
    whole, other = in_folder(work, tmp_path / "a"), in_folder(work, tmp_path / "b")
    parts = whole.parts
    assert len(parts) > 4
    list(whole.make_all(parts))
    list(other.make_all(parts[1::2]))
    path_of(other.folder, 3).write_bytes(b"half a file")
    assert [part.number for part in other.missing(parts)][:3] == [0, 2, 3]
    list(other.make_all(other.missing(parts)))
    assert not other.missing(parts)
    for part in parts:
        one, two = (path_of(w.folder, part.number).read_bytes() for w in (whole, other))
        assert one == two
    assert whole.summarised() == other.summarised()
    assert all(not is_made(path_of(whole.folder, part.number), "y") for part in parts)


def test_a_sample_has_its_size_and_the_primary_specification(tmp_path):
    pytest.importorskip("pyarrow", reason="make scale was not run")
    work = work_of(SHARED, tmp_path, limit=300)
    list(work.make_all(work.parts))
    numbers = rows_of(work)["specification"]
    assert len(set(numbers)) == len(numbers)
    assert 150 < len(numbers) <= 301
    assert work.primary in numbers


@pytest.mark.slow
def test_subsets_are_those_of_gosh(tmp_path, monkeypatch):
    pytest.importorskip("pyarrow", reason="make scale was not run")
    monkeypatch.setattr("osteometa.specifications.choices.PART", 1000)
    usual = work_of(ROOT)
    work = Work(usual.tables, usual.config, usual.synthesis, tmp_path, "x", subsets=True)
    assert len(work.parts) == 5
    list(work.make_all(work.parts))
    rows, k = rows_of(work), work.effects.k
    theirs = {row.subset: row for row in gosh(work.effects, 1)}
    assert len(rows["k"]) == len(theirs) == 2**k - 1 - k
    for i, number in enumerate(rows["specification"].tolist()):
        row = theirs[f"{2**k - 1 - number:0{k}b}"]
        assert (rows["k"][i], rows["estimate"][i]) == (row.k, pytest.approx(row.estimate))
        assert rows["tau2"][i] == pytest.approx(row.tau2, abs=1e-15)
    assert work.summarised().summary[0].primary == pytest.approx(usual_pool(usual).estimate)


def usual_pool(work):
    y, v, V, studies = work.combinations.under(()).primary_set().data
    return pool(y, v, V=V, studies=studies)


def test_the_curve_has_the_levels_and_its_numbers(made):
    work, _ = made
    found = work.summarised()
    whole = found.summary[0]
    scale = FigureSettings.of(work.config, SPINE_SYNTHESIS).scale()
    curve, levels = (
        [row for row in rows if row.measure == whole.measure]
        for rows in (found.curve, found.levels)
    )
    figure = density_figure(curve, levels, whole, "Curve", scale)
    (svg,) = drawings([figure])
    words = " ".join(svg.itertext())
    for text in (*work.measures[0].rules, "shared control split", "normal (Wald) interval"):
        assert text in words
    assert f"{whole.specifications:,} specifications" in words
    assert len(ElementTree.tostring(svg)) < 400_000


@pytest.mark.slow
def test_the_command_in_shards_and_again(tmp_path, capsys):
    pytest.importorskip("pyarrow", reason="make scale was not run")
    words = ["specifications", SPINE_SYNTHESIS, "--directory", str(SHARED), "--limit", "2000"]
    out = ["--out", str(tmp_path)]
    assert main([*words, *out, "--shard", "2/2"]) == 0
    assert "summarises" in capsys.readouterr().out
    assert not (tmp_path / "summary.csv").exists()
    assert main([*words, *out]) == 0
    first = {path.name: path.read_bytes() for path in tmp_path.glob("*.*")}
    assert {"summary.csv", "levels.csv", "specification_curve.svg", PAGE} <= set(first)
    levels = read_records(tmp_path / "levels.csv", SpecificationLevel)
    assert f"<td>{levels[0].specifications:,}</td>".encode() in first[PAGE]
    assert b"assumed pre-post correlation" in first[PAGE]
    assert main([*words, *out, "--cores", "2"]) == 0
    assert "parts are on disk already" in capsys.readouterr().out
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.*")} == first
    assert main(["specifications", "spine", "--directory", str(SHARED), *out]) == 2
    with pytest.raises(SystemExit):
        main([*words, *out, "--shard", "3/2"])


def test_shares_of_more_choices_than_all_orders_allow_are_near_those_of_all(monkeypatch):
    rng = np.random.default_rng(1)
    rows = [row for row in itertools.product("ab", repeat=6) if rng.random() < 0.7]
    y = np.array([sum(i * (level == "b") for i, level in enumerate(row)) for row in rows])
    y = y + rng.normal(size=len(y))
    exact = r2_parts(rows, y)
    monkeypatch.setattr("osteometa.sensitivity.explained_variance.MOST_TOGETHER", 3)
    drawn = r2_parts(rows, y)
    assert drawn == pytest.approx(exact, abs=0.01)
    assert drawn != exact
