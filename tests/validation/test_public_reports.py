"""What went wrong in meta-analyses of others, as they or their critics report it.

Each input is made up after a public report; the source is beside it.
"""

from dataclasses import replace

import pytest
from builders import CONFIG, contrast, level, tables
from osteometa.extraction.tables import Tables
from osteometa.io.cell_text import NumberError, decimal_mark, is_date, is_missing, plain_number
from osteometa.validation.review import check_tables, warnings_of


def codes(found: Tables) -> set[str]:
    return {p.code for p in warnings_of(found, CONFIG)} - {"W09"}


def trial(*rows):
    return tables(rows, design="rct", control=True)


def trials(*pairs) -> Tables:
    """Return one trial per pair of levels after (n, mean, SD of either arm)."""
    studies, arms, rows = [], [], []
    for number, pair in enumerate(pairs):
        name = f"s{number}_2001"
        made = trial(*(
            level("end", arm=arm, n=n, mean=mean, sd=sd)
            for arm, (n, mean, sd) in zip("ec", pair, strict=True)
        ))  # fmt: skip
        named = {"study_id": name}
        studies += [s.model_copy(update={**named, "label": name, "year": 2001})
                    for s in made.studies]  # fmt: skip
        arms += [arm.model_copy(update=named) for arm in made.arms]
        rows += [
            row.model_copy(update={**named, "row": row.row + 2 * number})
            for row in made.measurements
        ]
    return Tables(studies=tuple(studies), arms=tuple(arms), measurements=tuple(rows))


# Two meta-analyses of blood pressure were retracted because the SEs of a trial were entered as SDs
# (Retraction Watch, 9 December 2019); 45 % of the 20 most cited meta-analyses of strength and
# conditioning have such an effect, some of 11 or 14 SD (Kadlec, Sainani and Nimphius 2023, Sports
# Medicine 53: 313-325).
def test_standard_errors_entered_as_sds():
    usual = [((20, 0.45 + i / 100, 0.12), (20, 0.5, 0.13)) for i in range(6)]
    wrong = ((20, 0.42, 0.027), (20, 0.51, 0.029))
    assert "W40" in codes(trials(*usual, wrong)) and not codes(trials(*usual)) & {"W40", "W44"}


# The SDs of one arm are the means of the other, in all four studies: issue 284 of
# bwallace/OpenMeta-analyst-.
def test_a_column_copied_from_another():
    rows = [level("end", mean="3.172", sd="3.038", n=212),
            level("end", arm="c", mean="2.308", sd="3.172", n=199)]  # fmt: skip
    assert "W17" in codes(trial(*rows))


# Wrong signs, numbers of participants, means and SDs in 17 of 27 meta-analyses: Gotzsche and others
# 2007, JAMA 298: 430-437.
def test_a_sign_reversed():
    rows = [level("end", mean="0.42", sd="0.12", n=20),
            level("end", arm="c", mean="0.51", sd="0.13", n=20),
            contrast("md", value="0.09", se="0.04", unit="ng/mL", n_exercise=20, n_control=20,
                     score="post", adjusted="no")]  # fmt: skip
    assert "W28" in codes(trial(*rows))


# Estimates per 1, 10 and 20 ug/m3 were pooled as they were: retraction note, Journal of Zhejiang
# University Science B 2020, 21: 756.
def test_a_unit_that_was_not_converted():
    usual = [((20, 0.45 + i / 100, 0.12), (20, 0.5, 0.13)) for i in range(6)]
    assert "W07" in codes(trials(*usual, ((20, 4.5, 1.2), (20, 5.0, 1.3))))


# One historical control group in five studies (discourse.datamethods.org, topic 9463); one study
# under several names (Senn 2009, BMC Medical Research Methodology 9: 10).
def test_one_control_group_in_several_studies():
    control = (46, 0.512, 0.134)
    assert "W39" in codes(trials(((20, 0.45, 0.12), control), ((24, 0.48, 0.13), control)))


# Many meta-analyses include papers that had been retracted before: Fanelli, Wong and Moher 2022,
# Accountability in Research 29: 442-459.
def test_a_retracted_paper():
    made = trial(level("end", mean="0.42", sd="0.12", n=20))
    (study,) = made.studies
    assert "W16" not in codes(made)
    retracted = study.model_copy(update={"title": "Retracted: training and bone"})
    assert "W16" in codes(replace(made, studies=(retracted,)))


# "1.000,92" was not read: issue 403 of jasp-stats/jasp-desktop. Of "0.673" a comma file made 673:
# issue 357 of Rello/analytics. "1,23" stood among numbers with commas between thousands: pull 247
# of rawgraphs/rawgraphs-app.
def test_thousands_and_decimals():
    assert plain_number("1.000,92", ",") == "1000.92"
    assert plain_number("1,045,442.22") == "1045442.22"
    column = ["10.44", "76.33", "2,923", "1,045,442.22", "1,23"]
    assert decimal_mark(column) == "."
    for text in ("2,923", "1,23"):
        with pytest.raises(NumberError):
            plain_number(text)
    with pytest.raises(NumberError):
        plain_number("0.673", ",")


# "#NULL!" of a spreadsheet stood in a column of numbers: pull 234 of concepticon/norare-data.
# Names became dates: issue 27 of kuanrongchan/STAGES; age groups: pull 67 of
# Public-Health-Scotland/Hospital-Acute-Activity.
def test_what_spreadsheets_make_of_cells():
    assert is_missing("#NULL!") and is_missing("#REF!")
    assert all(map(is_date, ("2-Sep", "Sep-02", "2-Mar", "05-Sep", "2001-03-02")))
    assert not any(map(is_date, ("septin2", "march_2_weeks", "9_months", "10-19")))


# Standard errors of 0 and below stopped an analysis without a word on the cell: issue 21 of
# MathiasHarrer/Doing-Meta-Analysis-in-R, issue 357 of jasp-stats/jasp-issues.
@pytest.mark.parametrize("se", ["0", "-0.04"])
def test_a_standard_error_that_is_not_positive(se):
    row = contrast("md", value="0.09", se=se, unit="ng/mL", n_exercise=20, n_control=20)
    found = check_tables(trial(row), CONFIG)
    assert [(p.code, p.column) for p in found if p.severity == "error"] == [("E201", "se")]
