"""The suite of one synthesis: what goes into each table, and that the tables agree."""

import math
import re
from dataclasses import fields, replace

import numpy as np
import pytest
from builders import ROOT, SPINE_SYNTHESIS, cases_of
from osteometa.figures.specification import specification_marks
from osteometa.io.csv_records import read_records, write_records
from osteometa.pooling.model import pool
from osteometa.records.sensitivity import RECORDS
from osteometa.sensitivity.analyses import (
    alternative_models,
    asymmetry,
    meta_regressions,
    pooled_effects,
    sensitivity_tables,
)
from osteometa.sensitivity.influence import SAMPLED, subsets
from osteometa.sensitivity.meta_regression import meta_regression
from osteometa.sensitivity.small_study import egger
from osteometa.sensitivity.status import one_per_study

pytestmark = pytest.mark.slow
LUMBAR = "bmd_lumbar_spine_training_controlled"
NECK = "bmd_femoral_neck_training_controlled"
OPG = "opg_training_controlled"
NO_OTHERS = {"covariances": (), "alternatives": (), "alternative_covariances": ()}


@pytest.fixture(scope="module")
def cases():
    shared = cases_of(ROOT / "tests/reviews/shared_control", [SPINE_SYNTHESIS])[SPINE_SYNTHESIS]
    return {**cases_of(ROOT, [LUMBAR, NECK, OPG]), "shared": shared}


@pytest.fixture(scope="module")
def looks(cases):
    return {name: sensitivity_tables(case) for name, case in cases.items()}


def test_every_table_has_rows_of_its_record(looks):
    for look in looks.values():
        for name, record in RECORDS.items():
            assert all(isinstance(row, record) for row in getattr(look, name)), name
    assert {f.name for f in fields(looks[NECK])} == set(RECORDS)
    for name in ("sensitivity", "influence", "leave_one_out", "cumulative", "gosh", "multiverse",
                 "multiverse_shares", "small_study", "meta_regression", "permutation",
                 "alternative_models"):  # fmt: skip
        assert getattr(looks[NECK], name), name


def test_what_has_no_numbers_says_why(looks):
    for look in looks.values():
        for name in RECORDS:
            for row in getattr(look, name):
                if getattr(row, "status", "ok") != "ok":
                    assert row.reason, name
                    assert getattr(row, "estimate", None) is None, name


def test_the_pool_is_the_same_in_all_tables(cases, looks):
    for name, look in looks.items():
        fit = pooled_effects(cases[name]).pooled()
        (primary,) = [row for row in look.sensitivity if row.row == "primary"]
        assert primary.estimate == fit.estimate
        if fit.k >= 3:
            last = [row for row in look.cumulative if row.k == fit.k]
            assert [row.estimate for row in last] == [pytest.approx(fit.estimate, rel=1e-9)] * 2
        (flipped,) = look.permutation
        if pooled_effects(cases[name]).k == len(fit.weights) and fit.k >= 2:
            assert flipped.statistic == pytest.approx(fit.statistic, rel=1e-6)


def test_gosh_is_a_pool_of_every_subset(cases, looks):
    """2^k - 1 - k subsets of two studies and more, each as the solver of single pools has it."""
    chosen = pooled_effects(cases[NECK])
    k = chosen.k
    rows = looks[NECK].gosh
    assert len(rows) == len({row.subset for row in rows}) == 2**k - 1 - k
    for row in rows[:: len(rows) // 25]:
        index = [i for i, inside in enumerate(row.subset) if inside == "1"]
        ours = pool(chosen.y[index], chosen.v[index], method=chosen.method)
        assert row.k == len(index) == ours.k
        assert row.estimate == pytest.approx(ours.estimate, rel=1e-7)
        assert row.tau2 == pytest.approx(ours.tau2, rel=1e-6, abs=1e-12)
        assert row.i2 == pytest.approx(ours.i2, rel=1e-6, abs=1e-6)
    whole = next(row for row in rows if row.k == k)
    assert whole.estimate == pytest.approx(chosen.pooled().estimate, rel=1e-9)
    left_out = {row.study_id: row for row in looks[NECK].leave_one_out}
    without = {row.subset.index("0"): row for row in rows if row.k == k - 1}
    for i, study in enumerate(chosen.studies):
        assert without[i].estimate == pytest.approx(left_out[study].estimate, rel=1e-7)


def test_many_studies_are_sampled_with_the_seed():
    masks = subsets(16, 7)
    assert SAMPLED == 100_000 >= len(masks) and np.all(masks.sum(axis=1) >= 2)
    assert np.array_equal(masks, subsets(16, 7)) and not np.array_equal(
        masks[:9], subsets(16, 8)[:9]
    )
    assert len(subsets(15, 7)) == 2**15 - 1 - 15
    # Sizes as among all subsets: half of the studies on average.
    assert np.mean(masks.sum(axis=1)) == pytest.approx(8, abs=0.05)


def test_effects_of_one_study_are_combined_with_their_covariance(cases, looks):
    chosen = pooled_effects(cases["shared"])
    assert chosen.V is not None and chosen.k < len(chosen.y)
    y, v = chosen.one_per_study()
    assert len(y) == chosen.k
    study = next(s for s in chosen.studies if chosen.studies.count(s) == 2)
    index = [i for i, other in enumerate(chosen.studies) if other == study]
    ours = pool(chosen.y[index], None, V=chosen.V[np.ix_(index, index)], method="EE", ci="wald",
                studies=1)  # fmt: skip
    at = list(dict.fromkeys(chosen.studies)).index(study)
    assert y[at] == pytest.approx(ours.estimate, rel=1e-9)
    assert math.sqrt(v[at]) == pytest.approx(ours.se, rel=1e-9)
    assert len(looks["shared"].gosh) == 2**chosen.k - 1 - chosen.k
    assert {row.k for row in looks["shared"].leave_one_out} == {chosen.k - 1}
    assert len(looks["shared"].influence) == len(chosen.y)
    assert one_per_study(chosen.y, chosen.v, None, chosen.ids)[0].tolist() == chosen.y.tolist()


def test_meta_regression_is_the_one_that_is_held_against_metafor(cases, looks):
    effects = cases[LUMBAR].primary_set().effects
    chosen = pooled_effects(cases[LUMBAR])
    rows = {row.covariate: row for row in looks[LUMBAR].meta_regression}
    assert list(rows) == ["weeks", "age", "year", "sessions", "n"]
    year = rows["year"]
    ours = meta_regression(chosen.y, chosen.v, [float(e.year) for e in effects])
    assert (year.status, year.k) == ("ok", len(effects))
    assert (year.slope, year.p, year.df) == (ours.slope, ours.p, ours.k - 2)
    assert (year.intercept, year.tau2, year.r2) == (ours.intercept, ours.tau2, ours.r2)
    assert 0 < year.p_permutation <= 1
    points = [p for p in looks[LUMBAR].regression_points if p.covariate == "year"]
    assert sum(p.weight for p in points) == pytest.approx(100)
    assert [p.x for p in points] == [float(e.year) for e in effects]
    line = [at for at in looks[LUMBAR].regression_line if at.covariate == "year"]
    assert (len(line), line[0].x, line[-1].x) == (
        41,
        min(p.x for p in points),
        max(p.x for p in points),
    )
    for at in (line[0], line[17], line[-1]):
        assert at.fitted == pytest.approx(year.intercept + year.slope * (at.x - year.centre))
    stated = {"weeks": "weeks", "age": "age", "sessions": "sessions", "n": "n_total"}
    for name, column in stated.items():
        assert rows[name].k == sum(getattr(e, column) is not None for e in effects)
        assert (rows[name].status == "ok") == (rows[name].k >= 10)


def test_effects_that_share_people_keep_their_covariance_and_are_not_shuffled(cases):
    effects = cases["shared"].primary_set().effects
    chosen = pooled_effects(cases["shared"])
    times = 1 + math.ceil(10 / chosen.k)
    many = replace(
        chosen,
        ids=tuple(f"{name}{i}" for i in range(times) for name in chosen.ids),
        studies=tuple(f"{name}{i}" for i in range(times) for name in chosen.studies),
        y=np.concatenate([chosen.y * (1 + 0.1 * i) for i in range(times)]),
        v=np.tile(chosen.v, times), V=np.kron(np.eye(times), chosen.V),
        labels=chosen.labels * times, years=chosen.years * times,
    )  # fmt: skip
    copies = [replace(e, year=e.year + i) for i in range(times) for e in effects]
    row = next(r for r in meta_regressions(many, copies, 1)[0] if r.covariate == "year")
    ours = meta_regression(
        many.y, many.v, [float(e.year) for e in copies], V=many.V, study=many.studies
    )
    alone = meta_regression(many.y, many.v, [float(e.year) for e in copies])
    assert (row.status, row.k) == ("ok", chosen.k * times)
    assert row.slope == ours.slope != alone.slope
    assert row.p_permutation is None and "cannot change places" in row.reason


def test_small_study_tests_wait_for_ten_studies(looks, cases):
    assert {row.status for row in looks[NECK].small_study} == {"not_applicable"}
    assert looks[NECK].funnel_points == []
    rows = {row.analysis: row for row in looks[LUMBAR].small_study}
    chosen = pooled_effects(cases[LUMBAR])
    assert rows["egger"].p == egger(chosen.y, chosen.v).p
    points = looks[LUMBAR].funnel_points
    assert len(points) == chosen.k + rows["trim_fill"].filled
    assert [p.yi for p in points if not p.filled] == chosen.y.tolist()


def test_eggers_regression_of_smd_leaves_the_effect_out_of_its_predictor(cases):
    """Pustejovsky and Rodgers (2019): sqrt(1/nT + 1/nC), not the standard error."""
    effect = next(e for e in cases[OPG].effects if e.measure == "SMD")
    effects = []
    for i in range(12):
        n, g = 10 + 3 * i, 0.1 * (i % 5)
        effects.append(replace(effect, effect_id=f"e{i}", study_id=f"s{i}", n_total=2 * n, yi=g,
                               vi=2 / n + g**2 / (4 * n), pooled=True))  # fmt: skip
    chosen = pooled_effects(replace(cases[OPG], effects=tuple(effects), covariances=()))
    row = next(r for r in asymmetry(chosen, effects) if r.analysis == "egger")
    by_hand = egger(chosen.y, chosen.v, predictor=[math.sqrt(4 / e.n_total) for e in effects])
    assert row.p == pytest.approx(by_hand.p, rel=1e-9)
    assert row.predictor == "standard error without the effect's part"
    unknown = [replace(e, n_total=None) if i == 3 else e for i, e in enumerate(effects)]
    row = next(r for r in asymmetry(chosen, unknown) if r.analysis == "egger")
    assert row.p == egger(chosen.y, chosen.v).p and "not reported" in row.predictor


def models_of(rows):
    return {(row.model, row.inference): row for row in rows}


def test_alternative_models_say_when_nothing_is_nested(looks):
    rows = models_of(looks[NECK].alternative_models)
    nested = tuple((name, "satterthwaite") for name in ("three_level", "che", "robust"))
    wild = tuple((name, "wild_bootstrap") for name, _ in nested)
    assert list(rows) == [*nested, *wild, ("bayesian", "posterior")]
    bar = "8 studies, 10 are needed, one of them with several effects"
    assert {rows[name].reason for name in nested} == {bar}
    assert {rows[name].reason for name in wild} == {"no study has several effects"}
    spine = models_of(looks[LUMBAR].alternative_models)
    assert all("no study has several effects" in spine[name].reason for name in (*nested, *wild))
    assert "the prior is specified for SMD" in rows["bayesian", "posterior"].reason
    nested = models_of(looks["shared"].alternative_models)
    che = nested["che", "satterthwaite"]
    assert che.effects > che.k
    assert "the model needs 10" in che.reason
    turned = nested["che", "wild_bootstrap"]
    assert (turned.status, turned.k, turned.effects, turned.sign_vectors) == ("ok", 6, 7, 64)


@pytest.mark.parametrize(("k", "words"), [(0, "no study"), (1, "1 study"), (2, "2 studies")])
def test_alternative_models_of_hardly_a_study_name_both_bars(cases, k, words):
    case = replace(cases[NECK], effects=cases[NECK].primary_set().effects[:k], covariances=())
    rows = models_of(alternative_models(pooled_effects(case), case))
    more = "are needed, one of them with several effects"
    for name in ("three_level", "che", "robust"):
        row = rows[name, "satterthwaite"]
        assert (row.k, row.status) == (k, "not_applicable")
        assert row.reason == f"{words}, 10 {more}"
        assert rows[name, "wild_bootstrap"].reason == f"{words}, 3 {more}"


def test_few_studies_have_the_bootstrap_in_place_of_the_models(cases):
    case = cases[NECK]
    chosen = pooled_effects(case)
    ours = replace(chosen, studies=(chosen.studies[1], *chosen.studies[1:]))
    rows = models_of(alternative_models(ours, case))
    for name in ("three_level", "che", "robust"):
        row, wild = rows[name, "satterthwaite"], rows[name, "wild_bootstrap"]
        assert "the model needs 10" in row.reason and row.sign_vectors is None
        assert wild.status == "ok" and wild.k == chosen.k - 1 and wild.effects == chosen.k
        assert wild.sign_vectors == 2**wild.k and wild.exact and wild.p_smallest == 2 / 2**wild.k
        assert wild.p_smallest <= wild.p <= 1
        assert wild.ci_low < wild.estimate < wild.ci_high
        assert (wild.se, wild.df, wild.prior) == (None, None, "")
    assert rows["bayesian", "posterior"].sign_vectors is None


POINTS = ("funnel_points", "regression_points", "regression_line")


@pytest.mark.parametrize(
    ("k", "words"), [(0, "no study, 3 are needed"), (1, "1 study, 3 are needed"),
                     (2, "2 studies, 3 are needed"), (3, "")],
)  # fmt: skip
def test_every_table_of_few_studies_has_a_row_that_says_why(cases, k, words):
    effects = cases[NECK].primary_set().effects[:k]
    few = replace(cases[NECK], effects=effects, **NO_OTHERS)
    look = sensitivity_tables(few)
    for name in set(RECORDS) - set(POINTS):
        rows = getattr(look, name)
        assert rows, name
        for row in rows:
            reason = getattr(row, "reason", "")
            assert not re.search(r"\b[01] studies", reason), (name, reason)
            assert row.status == "ok" or reason, name
    sequences = [row.sequence for row in look.cumulative]
    assert sequences == sorted(sequences, reverse=True) and set(sequences) == {"year", "precision"}
    for rows in (look.leave_one_out, look.cumulative, look.gosh, look.influence):
        if words:
            assert {row.status for row in rows} == {"not_applicable"}
            assert {row.reason for row in rows} == {words}
            assert {getattr(row, "k", k) for row in rows} == {k}
        else:
            assert {row.status for row in rows} == {"ok"}
    if k < 2:
        (none,) = look.multiverse
        assert (none.k, none.status, none.estimate, none.primary) == (k, "not_applicable", None,
                                                                      False)  # fmt: skip
    else:
        assert {row.status for row in look.multiverse} == {"ok"}


def test_rows_that_say_why_are_read_back_and_skipped(cases, tmp_path):
    few = replace(cases[NECK], effects=(), **NO_OTHERS)
    look = sensitivity_tables(few)
    for name in ("gosh", "multiverse", "influence"):
        path = tmp_path / f"{name}.csv"
        write_records(path, RECORDS[name], getattr(look, name))
        assert read_records(path, RECORDS[name]) == getattr(look, name)
    assert specification_marks(look.multiverse, look.multiverse_shares, few.measure) == []
