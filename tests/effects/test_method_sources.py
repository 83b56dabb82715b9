"""What an effect rests on: the cells it names, and the flags it takes from each of them."""

import itertools
from dataclasses import replace

import pytest
from builders import (
    AFTER,
    BARE_PERCENT,
    BEFORE,
    CHANGES_ALONE,
    CONFIG,
    LOGS,
    MEANS,
    R_BETWEEN,
    cells_at,
    change,
    contrast,
    crossover,
    direction,
    level,
    logs,
    mean_difference,
    parallel,
    t_test,
    tables,
    text,
    warnings_on,
    with_assay,
    within_arm,
)
from osteometa.derivation.derive import derive
from osteometa.extraction.tables import Tables

N = {"n_exercise": 12, "n_control": 12}
PERCENT = [change(arm, "pct_change", mean=m, sd=9, n=12) for arm, m in (("e", 7), ("c", 2))]
BARE = [change("e", mean=4), change("c", mean=1)]
LOGS_BEFORE = [logs(arm, "baseline", mean=2.0, sd=0.3, n=12) for arm in "ec"]
R = [("contrasts", arm, "end", "r", {"value": 0.7, "compares": "within"}) for arm in "ec"]
ADJUSTED = contrast("adj_md", value=-3, se=1.5, unit="ng/mL", **N)


T = cells_at("e", "end", "value n_exercise n_control", "t")
MD = cells_at("e", "end", "value se n_exercise n_control", "md")
RS = cells_at("ec", "end", "value", "r")
ONE_R = cells_at("e", "end", "value", "r")
E, C = cells_at("e", "end"), cells_at("c", "end")
CHG, PCT = (cells_at("ec", "end", kind=kind) for kind in ("change", "pct_change"))
LOG = cells_at("ec", "end", kind="log_level")
# Of what, from which rows, in which design: method, codes, flags, the cells.
CASES = {
    "POST": ("SMD MD ROM", AFTER, parallel, "POST", "SD", "", E | C),
    "POST by its t test": (
        "SMD MD ROM",
        [*MEANS, t_test(score="post", test="t_pooled", **N)],
        parallel,
        "POST",
        "TMD",
        "TMD",
        cells_at("ec", "end", "mean") | T,
    ),
    "PPC": (
        "SMD MD ROM",
        [*BEFORE, *AFTER, *R],
        parallel,
        "PPC",
        "SD",
        "",
        cells_at("ec", "baseline") | E | C | RS,
    ),
    "PPC of changes": (
        "SMD",
        [*BEFORE, *CHANGES_ALONE, *R],
        parallel,
        "PPC",
        "SD",
        "",
        cells_at("ec", "baseline") | CHG,
    ),
    "ADJ": (
        "SMD",
        [*BEFORE, ADJUSTED],
        parallel,
        "ADJ",
        "SE+SD",
        "",
        cells_at("ec", "baseline")
        | cells_at("e", "end", "value se n_exercise n_control", "adj_md"),
    ),
    "CHG": ("MD", CHANGES_ALONE, parallel, "CHG", "SD", "", CHG),
    "CHG with r": ("SMD", [*CHANGES_ALONE, *R], parallel, "CHG", "SD", "", CHG | RS),
    "CHG of percentages": ("SMD", [*PERCENT, *R], parallel, "CHG", "SD", "PCT", PCT | RS),
    "CHG by its test": (
        "MD",
        [*BARE, t_test(score="change", **N)],
        parallel,
        "CHG",
        "TMD+t",
        "TMD",
        cells_at("ec", "end", "mean", "change") | T,
    ),
    "percent by its test": (
        "ROM",
        [*BARE_PERCENT, t_test(score="change", **N)],
        parallel,
        "CHG",
        "PCT+TMD+t",
        "PCT TMD",
        cells_at("ec", "end", "mean", "pct_change") | T,
    ),
    "percent": ("ROM", PERCENT, parallel, "CHG", "PCT+SD", "PCT", PCT),
    "percent by total n": (
        "ROM",
        [*BARE_PERCENT, t_test(score="change", n_total=28)],
        parallel,
        "DIF",
        "PCT+t",
        "PCT TMD",
        cells_at("ec", "end", "mean", "pct_change") | cells_at("e", "end", "value n_total", "t"),
    ),
    "DIF": ("MD", [mean_difference(3, se=1, score="post", **N)], parallel, "DIF", "SE", "", MD),
    "DIF in %": (
        "ROM",
        [mean_difference(3, "%", se=1, adjusted="no", **N)],
        parallel,
        "DIF",
        "PCT+SE",
        "PCT",
        MD,
    ),
    "TST": (
        "SMD",
        [t_test(score="change", adjusted="no", **N), *R],
        parallel,
        "TST",
        "t",
        "",
        T | RS,
    ),
    "TST with a sign in words": (
        "SMD",
        [contrast("f", value=5, df1=1, score="post", adjusted="no", **N), direction("up")],
        parallel,
        "TST",
        "F",
        "",
        cells_at("e", "end", "value df1 n_exercise n_control", "f")
        | {"e/end/between_arm:direction"},
    ),
    "SMDP": (
        "SMD",
        [contrast("smd", value=0.6, standardiser="change", **N), *R],
        parallel,
        "SMDP",
        "",
        "",
        cells_at("e", "end", "value standardiser n_exercise n_control", "smd") | RS,
    ),
    "SMDP with its interval": (
        "SMD",
        [contrast("smd", value=0.6, standardiser="raw", ci_low=0.1, ci_high=1.1, **N)],
        parallel,
        "SMDP",
        "",
        "",
        cells_at("e", "end", "value standardiser ci_low ci_high n_exercise n_control", "smd"),
    ),
    "LOG": ("ROM", LOGS, parallel, "LOG", "SD", "", LOG),
    "LOG of changes": (
        "ROM",
        [*LOGS, *LOGS_BEFORE, *R],
        parallel,
        "LOG",
        "SD",
        "",
        LOG | cells_at("ec", "baseline", kind="log_level") | RS,
    ),
    "paired levels": (
        "SMD MD ROM",
        [*AFTER, R_BETWEEN],
        crossover,
        {"SMD": "SMCR", "MD": "MC", "ROM": "ROMC"},
        "SD",
        "",
        E | C | ONE_R,
    ),
    "paired levels and their t": (
        "SMD ROM",
        [*AFTER, t_test(2.2, score="post", n_exercise=12)],
        crossover,
        {"SMD": "SMCR", "ROM": "ROMC"},
        "SD",
        "",
        E | C | cells_at("e", "end", "value n_exercise", "t"),
    ),
    "paired t": (
        "SMD",
        [t_test(score="post", n_exercise=12), R_BETWEEN],
        crossover,
        "SMCR",
        "t",
        "",
        cells_at("e", "end", "value n_exercise", "t") | ONE_R,
    ),
    "paired F with a sign in words": (
        "SMD",
        [contrast("f", value=5, df1=1, score="post", n_exercise=12), R_BETWEEN, direction("up")],
        crossover,
        "SMCR",
        "F",
        "",
        cells_at("e", "end", "value df1 n_exercise", "f") | ONE_R | {"e/end/between_arm:direction"},
    ),
    "paired difference": (
        "MD",
        [mean_difference(3, se=1, score="post", n_exercise=12)],
        crossover,
        "DIF",
        "SE",
        "",
        cells_at("e", "end", "value se n_exercise", "md"),
    ),
    "paired means and their t": (
        "MD",
        [*MEANS, t_test(score="post", n_exercise=12)],
        crossover,
        "DIF",
        "t",
        "",
        cells_at("ec", "end", "mean") | cells_at("e", "end", "value n_exercise", "t"),
    ),
    "paired gains and their t": (
        "MD",
        [
            *(
                level(time, arm=arm, mean=m)
                for time, arm, m in (
                    ("baseline", "e", 50),
                    ("baseline", "c", 51),
                    ("end", "e", 55),
                    ("end", "c", 52),
                )
            ),
            t_test(score="change", n_exercise=12),
        ],
        crossover,
        "DIF",
        "t",
        "",
        cells_at("ec", "baseline", "mean")
        | cells_at("ec", "end", "mean")
        | cells_at("e", "end", "value n_exercise", "t"),
    ),
    "paired changes": ("MD", CHANGES_ALONE, crossover, "CHG", "SD", "RIMP", CHG),
    "paired percentages": ("ROM", PERCENT, crossover, "CHG", "PCT+SD", "PCT RIMP", PCT),
    "paired logarithms": (
        "ROM",
        [*LOGS, R_BETWEEN],
        crossover,
        "LOG",
        "SD",
        "",
        LOG | ONE_R,
    ),
    "one arm, levels": (
        "SMD MD ROM",
        [BEFORE[0], AFTER[0], R[0]],
        within_arm,
        {"SMD": "SMCR", "MD": "MC", "ROM": "ROMC"},
        "SD",
        "",
        cells_at("e", "baseline") | E | ONE_R,
    ),
    "one arm, levels and their t": (
        "MD",
        [BEFORE[0], AFTER[0], t_test(n_exercise=12)],
        within_arm,
        "MC",
        "t",
        "",
        cells_at("e", "baseline") | E | cells_at("e", "end", "value n_exercise", "t"),
    ),
    "one arm, change": (
        "SMD",
        [CHANGES_ALONE[0], R[0]],
        within_arm,
        "SMCR",
        "CHG+SD",
        "",
        cells_at("e", "end", kind="change") | ONE_R,
    ),
    "one arm, change over the level before": (
        "SMD",
        [BEFORE[0], CHANGES_ALONE[0]],
        within_arm,
        "SMCR",
        "SD",
        "",
        cells_at("e", "baseline") | cells_at("e", "end", kind="change"),
    ),
    "one arm, percent": (
        "ROM",
        [PERCENT[0]],
        within_arm,
        "ROMC",
        "PCT+SD",
        "PCT",
        cells_at("e", "end", kind="pct_change"),
    ),
    "one arm, percent by its t": (
        "ROM",
        [BARE_PERCENT[0], t_test(n_exercise=12)],
        within_arm,
        "ROMC",
        "PCT+t",
        "PCT",
        cells_at("e", "end", "mean", "pct_change") | cells_at("e", "end", "value n_exercise", "t"),
    ),
    "one arm, t": (
        "SMD",
        [t_test(n_exercise=12), R[0]],
        within_arm,
        "SMCR",
        "t",
        "",
        cells_at("e", "end", "value n_exercise", "t") | ONE_R,
    ),
    "one arm, SMD": (
        "SMD",
        [contrast("smd", value=0.6, standardiser="change", n_exercise=12), R[0]],
        within_arm,
        "SMCR",
        "SMDP",
        "",
        cells_at("e", "end", "value standardiser n_exercise", "smd") | ONE_R,
    ),
    "one arm, logarithms": (
        "ROM",
        [LOGS[0], LOGS_BEFORE[0], R[0]],
        within_arm,
        "ROMC",
        "LOG+SD",
        "",
        cells_at("e", "end", kind="log_level")
        | cells_at("e", "baseline", kind="log_level")
        | ONE_R,
    ),
}


def short(name):
    """Return arm/time/kind:column of a cell's full name."""
    place, column = name.split(":", 1)[1].rsplit(":", 1)
    _, arm, _, _, _, time, kind = place.split("/")[:7]
    return f"{arm}/{time}/{kind}:{column}"


@pytest.mark.parametrize("name", CASES)
def test_an_effect_names_the_cells_it_rests_on(name):
    measures, rows, design, method, codes, flags, wanted = CASES[name]
    found = design(rows)
    for measure in measures.split():
        effect = found[measure]
        step = method if isinstance(method, str) else method[measure]
        assert text(effect).provenance == "+".join(x for x in (step, codes) if x)
        assert text(effect).flags == flags
        assert {short(cell) for cell in map(str, effect.inputs)} == wanted


@pytest.mark.parametrize("name", CASES)
def test_an_effect_takes_the_flags_of_all_its_rows(name):
    """Of a row flagged alone, and of two flagged alike."""
    measures, rows, design, _, _, flags, wanted = CASES[name]
    used = {cell.rsplit(":", 1)[0] for cell in wanted}
    flagged = [
        i for i, (_, arm, time, kind, _) in enumerate(rows)
        if f"{arm}/{time}/{kind}" in used
    ]  # fmt: skip
    pairs = [{i} for i in flagged] + [set(pair) for pair in itertools.combinations(flagged, 2)]
    for chosen in pairs:
        marked = [
            (*row[:4], {**row[4], "flag": "NREP"}) if i in chosen else row
            for i, row in enumerate(rows)
        ]
        found = design(marked)
        for measure in measures.split():
            assert found[measure].flags == {*flags.split(), "NREP"}


@pytest.mark.parametrize("name", CASES)
def test_people_known_from_the_start_alone_are_flagged(name):
    """NRAND of both arms where no row has n, and not twice: the effect is the same otherwise."""
    measures, rows, design, _, _, flags, _ = CASES[name]
    if any("n_total" in row[4] for row in rows):
        return
    bare = [
        (*row[:4], {k: v for k, v in row[4].items() if k not in ("n", "n_exercise", "n_control")})
        for row in rows
    ]
    how = {parallel: {"design": "rct"}, crossover: {"design": "crossover_rct", "phase": "acute"}}
    raw = tables(
        bare, control=design is not within_arm, **how.get(design, {"design": "uncontrolled"})
    )
    arms = tuple(arm.model_copy(update={"n_start": 12}) for arm in raw.arms)
    found = {e.measure: e for e in derive(replace(raw, arms=arms), CONFIG).effects}
    published = design(rows)
    for measure in measures.split():
        wanted = {*flags.split(), "NRAND"}
        assert found[measure].flags == wanted
        assert (found[measure].yi, found[measure].vi) == pytest.approx(
            (published[measure].yi, published[measure].vi)
        )


def test_means_of_people_known_from_the_start_stay_flagged_beside_a_t_that_prints_its_own():
    raw = tables([*MEANS, t_test(score="post", test="t_pooled", **N)], design="rct", control=True)
    arms = tuple(arm.model_copy(update={"n_start": 14}) for arm in raw.arms)
    found = derive(replace(raw, arms=arms), CONFIG).effects
    assert [(text(e).flags, e.n_exercise) for e in found] == [("NRAND TMD", 12)] * 3


def test_baselines_of_people_known_from_the_start_stay_flagged_beside_an_adjusted_difference():
    before = [(*row[:4], {k: v for k, v in row[4].items() if k != "n"}) for row in BEFORE]
    raw = tables([*before, ADJUSTED], design="rct", control=True)
    arms = tuple(arm.model_copy(update={"n_start": 14}) for arm in raw.arms)
    found = {e.measure: e for e in derive(replace(raw, arms=arms), CONFIG).effects}
    assert (found["SMD"].derivation_method, text(found["SMD"]).flags, found["SMD"].n_exercise) == (
        "ADJ",
        "NRAND",
        12,
    )


def test_an_assumed_correlation_of_a_printed_smd_is_flagged():
    smd = contrast("smd", value=0.6, standardiser="change", **N)
    found = parallel([smd])["SMD"]
    assert (text(found).flags, found.r, text(found).r_source) == ("RIMP", 0.5, "config")


@pytest.mark.parametrize("lacking", ["e", "c"])
def test_an_sd_is_borrowed_for_either_arm(lacking):
    """The other studies print 0.1 and 0.3; the arm's own SD stays."""
    others = [with_assay(name, sd) for name, sd in (("a", 0.1), ("b", 0.3))]
    rows = [
        level("end", arm=arm, mean=mean, n=10, assay="kit A",
              **({} if arm == lacking else {"sd": 0.4}))
        for arm, mean in (("e", 0.6), ("c", 0.5))
    ]  # fmt: skip
    raw, more = tables(rows, design="rct", control=True), warnings_on(*others)
    joined = Tables(
        studies=raw.studies + more.studies, arms=raw.arms + more.arms,
        measurements=tuple(
            row.model_copy(update={"row": i})
            for i, row in enumerate(raw.measurements + more.measurements, start=2)
        ),
    )  # fmt: skip
    found = {e.measure: e for e in derive(joined, CONFIG).effects if e.study_id == "t"}
    assert found["MD"].vi == pytest.approx((0.4**2 + 0.2**2) / 10)
    assert text(found["MD"]).flags == "BOR" and not found["MD"].pooled
