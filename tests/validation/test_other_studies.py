"""Values beside those of the other studies: what is usual, and an SE typed as SD."""

import honest
import pytest
from builders import CONFIG, level, tables, write_review
from osteometa.derivation.derive import derive
from osteometa.extraction.tables import Arm, Measurement, Study, Tables
from osteometa.protocol.config import load_config
from osteometa.validation.comparable import Compared
from osteometa.validation.other_studies import usual
from osteometa.validation.review import check_tables, warnings_of

READINGS = (2.1, 2.6, 2.4, 2.5, 2.3, 2.1, 2.3, 2.6, 8.2, 8.3)


def row_of(study, sd, mean="100", n=20):
    return Measurement(
        study_id=study, arm_id="a", outcome="CTX", analyte="ctx_serum", timepoint="end",
        kind="level", unit="ng/mL", mean=mean, sd=sd, n=n, note="morning",
    )  # fmt: skip


def review(sds, **cells):
    """Return one trial arm per study, with its SD in percent of the mean."""
    names = [f"s{i}" for i in range(len(sds))]
    return Tables(
        studies=tuple(Study(study_id=s, label=s, design="rct", include="yes") for s in names),
        arms=tuple(
            Arm(study_id=s, arm_id="a", label="a", role="control", phase="training") for s in names
        ),
        measurements=tuple(row_of(s, sd, **cells) for s, sd in zip(names, sds, strict=True)),
    )


def test_the_median_and_its_deviation_are_those_of_r():
    """R 4: median(x) is 2.45 and mad(x) 0.22239."""
    values = [
        Compared(row=row_of(f"s{i}", "1"), column="mean", group=("g",), value=x)
        for i, x in enumerate(READINGS)
    ]
    found = usual(values, 4, 0.0)[("g",)]
    assert found.middle == pytest.approx(2.45)
    assert found.reach == pytest.approx(3.5 * 0.22239)


@pytest.mark.parametrize(
    ("sds", "words"),
    [
        (["6", "25", "26", "24"], "4.08 times smaller. The root of n is 4.47: is it a standard"),
        (["250", "25", "26", "24"], "9.81 times larger"),
        (["14", "25", "26", "24"], ""),
        (["6", "25", "26"], ""),
    ],
)
def test_an_sd_unlike_those_of_the_other_studies_is_questioned(sds, words):
    found = [p for p in warnings_of(review(sds), CONFIG) if p.code == "W40"]
    assert len(found) == bool(words)
    assert [p.found for p in found if words in p.message] == (
        [f"{sds[0]} ({sds[0]} %)"] if words else []
    )


def test_an_sd_is_held_against_its_mean_where_few_studies_tell():
    codes = [p.code for p in warnings_of(review(["4", "250"]), CONFIG) if p.column == "sd"]
    assert sorted(codes) == ["W01", "W41"]


def test_honest_data_of_other_fields_raise_few_warnings():
    """Fewer than one for ten studies, as docs/reliability.md says."""
    found = [honest.problems_of(data) for data in honest.SETS]
    assert sum(len(problems) for _, problems in found) < sum(n for n, _ in found) / 10
    assert honest.PAGE.read_text(encoding="utf-8") == honest.written()


def scored(limits, measures=("MD", "SMD")):
    """Return the config with CTX as a T score."""
    outcome = CONFIG.outcomes["CTX"].model_dump()
    outcome["analytes"]["ctx_serum"]["quantity"] = "other"
    outcome |= {"units": {"T score": limits}, "measures": measures, "smallest_effect": {}}
    dumped = CONFIG.model_dump()
    return CONFIG.model_validate({**dumped, "outcomes": {**dumped["outcomes"], "CTX": outcome}})


SCORES = [
    level(time, arm=arm, mean=mean, sd=0.8, n=20, unit="T score", note="morning")
    for time, arm, mean in (
        ("baseline", "e", -1.2), ("baseline", "c", 0), ("end", "e", -0.9), ("end", "c", -0.1)
    )
]  # fmt: skip


def test_levels_below_0_of_a_scale_that_declares_them():
    review = tables(SCORES, design="rct", control=True)
    config = scored((-6, 4))
    assert check_tables(review, config) == []
    assert warnings_of(review, config) == []
    found = {effect.measure: effect.yi for effect in derive(review, config).effects}
    assert found["MD"] == pytest.approx(0.3 + 0.1)
    assert "ROM" not in found
    assert {p.code for p in check_tables(review, scored((0, 4)))} == {"E208"}


def test_a_range_below_0_and_a_ratio_of_means_exclude_each_other():
    with pytest.raises(ValueError, match="reaches below 0, where means have no ratio"):
        scored((-6, 4), ("ROM", "MD"))


def test_a_scale_that_goes_below_0_is_declared_in_config_yaml(tmp_path):
    folder = write_review(tmp_path)
    config = folder / "config.yaml"
    text = config.read_text(encoding="utf-8")
    score = """
  T_score:
    label: T score
    measures: [MD, SMD]
    r: 0.9
    units: {SDs: [-6, 4]}
    analytes:
      t_spine: {label: spine, quantity: other}
"""
    config.write_text(text.replace("\noutcomes:\n", f"\noutcomes:{score}", 1), encoding="utf-8")
    assert load_config(config).outcomes["T_score"].has_zero("SDs") is False
