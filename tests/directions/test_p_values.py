"""Combination of exact p values and albatross points, against numbers by hand."""

import math
from dataclasses import replace

import pytest
from builders import CONFIG, ROOT, checked, derived_of, tables
from osteometa.derivation.derive import derive
from osteometa.directions.p_values import (
    ExactP,
    albatross,
    combine_p,
    fisher,
    one_sided,
    p_combinations,
    stouffer,
)
from osteometa.numerics.distributions import two_tailed
from scipy.special import ndtr

KEY = ("CTX", "training", "controlled")


@pytest.fixture(scope="module")
def shipped():
    return checked(ROOT).tables, derived_of(ROOT)


def entry(shipped, p, n):
    """Return a study with a one-sided p and N."""
    entry = replace(shipped[1].entries[0], n=n, study_id=f"s{n}_{p}")
    return ExactP(entry, p, "" if p is not None else "without an exact p")


def test_four_one_sided_p(shipped):
    """Check 38: Fisher 35.811 (df 8), p 1.9e-5; Stouffer sqrt(N) Z 2.7752, p .00276."""
    ps, sizes = (0.1662, 0.0000023, 0.0456, 0.9602), (15, 60, 60, 60)
    row = combine_p(KEY, [entry(shipped, p, n) for p, n in zip(ps, sizes, strict=True)])
    assert (round(row.chi2, 3), row.df) == (35.811, 8)
    assert float(f"{row.p_fisher:.1e}") == 1.9e-5
    assert (round(row.z, 4), round(row.p_stouffer, 5)) == (2.7752, 0.00276)
    assert row.p_stouffer_lower == pytest.approx(1 - row.p_stouffer)
    assert (row.k, row.n_total, row.status) == (4, 195, "ok")
    lower = [1 - p for p in ps]
    assert row.p_fisher_lower == pytest.approx(fisher(lower)[2])


def test_opposite_directions_cancel():
    """Check 39: .01 up and .01 down: one-sided Stouffer .5; two-sided Fisher .0010 misleads."""
    ps = [one_sided(0.01, "up"), one_sided(0.01, "down")]
    assert ps == [0.005, 0.995]
    assert stouffer(ps, [10, 10])[1] == pytest.approx(0.5)
    assert round(fisher([0.01, 0.01])[2], 4) == 0.0010
    assert one_sided(0.01, "down", tails=1) == 0.99


def test_a_one_tailed_p_above_a_half_points_the_other_way():
    """R: t.test(x, alternative = "greater") of -1, -2, .5, -1.5, -.7 has p = .95490832.

    The mean is below 0; two-sided p = .090183351.
    """
    greater = 0.95490832
    assert one_sided(greater, "down", tails=1) == pytest.approx(greater)
    assert one_sided(1 - greater, "down", tails=1) == pytest.approx(greater)
    assert one_sided(greater, "up", tails=1) == pytest.approx(1 - greater)
    assert two_tailed(greater, 1) == pytest.approx(0.090183351, abs=2e-8)
    assert two_tailed(0.03, 2) == two_tailed(0.03, None) == 0.03


def test_doubted_effects_are_no_points(shipped):
    """Heinonen 1996 and Nelson K: only disputed values give a p in their sets."""
    raw, derived = shipped
    points = albatross(derived.entries, derived.effects, raw, CONFIG)
    blocks = {e.effect_id: e.block for e in derived.effects}
    assert {blocks[p.effect_id] for p in points if p.effect_id} <= {
        "pooled", "reduced", "non_randomised", "part",
    }  # fmt: skip
    stated = {(p.outcome, p.study_id) for p in points}
    assert not stated & {("BMD", "heinonen_1996"), ("CTX", "nelson_k_thesis")}
    assert ("OPG", "nelson_k_thesis") in stated


def test_fewer_than_three_are_not_combined(shipped):
    row = combine_p(
        KEY, [entry(shipped, 0.01, 20), entry(shipped, 0.2, 30), entry(shipped, None, 9)]
    )
    assert (row.status, row.k, row.p_stouffer) == ("not_applicable", 2, None)
    assert row.reason.startswith("2 exact p values in a known direction, 3 are needed")
    assert "1 without an exact p" in row.reason


def test_every_direction_set_has_a_row_and_only_exact_p_count(shipped):
    raw, derived = shipped
    rows = p_combinations(derived.entries, raw, CONFIG)
    sets = {(e.outcome, e.phase, e.design_class) for e in derived.entries if e.counted}
    assert {(r.outcome, r.phase, r.design_class) for r in rows} == sets and len(rows) == len(sets)
    exact = {c.study_id for c in raw.contrasts if c.p is not None and c.p_operator == "="}
    for row in rows:
        studies = set(row.studies)
        assert len(studies) == len(row.studies) == row.k and studies <= exact
        assert (row.status == "ok") == (row.k >= 3) == (row.reason == "")


def test_combined_ctx_by_hand(shipped):
    """Four reported p of CTX: sign from the study, one-sided, sqrt(N)."""
    raw, derived = shipped
    row = next(r for r in p_combinations(derived.entries, raw, CONFIG)
               if (r.outcome, r.phase, r.design_class) == KEY)  # fmt: skip
    ps, sizes = [], []
    for study in row.studies:
        entry = next(e for e in derived.entries if e.study_id == study and e.outcome == "CTX")
        p = next(float(c.p) for c in raw.contrasts if c.study_id == study and c.outcome == "CTX")
        ps.append(p / 2 if entry.direction == "up" else 1 - p / 2)
        sizes.append(entry.n)
    assert len(ps) >= 3 and (row.z, row.p_stouffer) == pytest.approx(stouffer(ps, sizes))
    assert row.chi2 == pytest.approx(-2 * sum(math.log(p) for p in ps))


def test_a_p_of_other_people_is_not_taken(shipped):
    """Uth 2021 reports a p = .012 per protocol, without n; its direction and n 68 are of all."""
    raw, derived = shipped
    stated = [c for c in raw.contrasts if c.study_id == "uth_2021" and c.p is not None]
    assert [(float(c.p), c.population_analysed) for c in stated] == [(0.012, "per_protocol")]
    entries = [e for e in derived.entries if e.study_id == "uth_2021" and e.outcome == "BMD"]
    known = {(e.direction, e.population_analysed, e.n) for e in entries if e.direction == "up"}
    assert known == {("up", "itt", 68)}
    (row,) = [r for r in p_combinations(derived.entries, raw, CONFIG) if r.outcome == "BMD"
              and r.design_class == "controlled"]  # fmt: skip
    assert "uth_2021" not in row.studies and row.k >= 20
    point = next(p for p in albatross(derived.entries, derived.effects, raw, CONFIG)
                 if (p.outcome, p.study_id) == ("BMD", "uth_2021"))  # fmt: skip
    assert point.origin == "effect" and ".itt." in point.effect_id


def test_people_in_two_conditions_count_once(shipped):
    """Helton: "the same 10 women" at rest and after two bouts, not said to be randomised."""
    raw, derived = shipped
    enrolled = {s.study_id: s.n_enrolled for s in raw.studies}
    many = [e.study_id for e in derived.entries if e.n and e.n > (enrolled[e.study_id] or math.inf)]
    assert many == []
    assert {e.n for e in derived.entries if e.study_id == "helton_thesis"} == {10}


def test_albatross_has_one_point_per_study_of_a_set(shipped):
    raw, derived = shipped
    points = albatross(derived.entries, derived.effects, raw, CONFIG)
    keys = [(p.outcome, p.phase, p.design_class, p.study_id) for p in points]
    assert len(keys) == len(set(keys)) > 20
    effects = {e.effect_id: e for e in derived.effects}
    for point in points:
        assert 0 < point.p <= 1 and point.n > 0 and point.direction in ("up", "down")
        if point.origin == "effect":
            effect = effects[point.effect_id]
            assert point.p == pytest.approx(2 * ndtr(-abs(effect.yi) / math.sqrt(effect.vi)))
            assert (point.direction == "up") == (effect.yi > 0)


def test_a_printed_p_is_a_point_where_no_effect_is():
    """The exact p of a rank test gives no size, but a point and a sign for a combination."""
    cells = {"p": 0.02, "p_operator": "=", "test": "rank", "n_exercise": 9, "n_control": 8}
    rows = [("contrasts", "e", "end", "p", cells),
            ("directions", "e", "end", "between_arm", {"direction": "down"})]  # fmt: skip
    raw = tables(rows, design="rct", control=True)
    derived = derive(raw, CONFIG)
    assert derived.effects == ()
    (point,) = albatross(derived.entries, derived.effects, raw, CONFIG)
    assert (point.p, point.n, point.direction, point.origin) == (0.02, 17, "down", "reported")
    (row,) = p_combinations(derived.entries, raw, CONFIG)
    assert row.k == 1 and row.status == "not_applicable"
