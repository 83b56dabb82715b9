"""Warnings that reviewers accept with a reason."""

import csv
import io
from dataclasses import replace

import pytest
from builders import ROOT, TESTS
from osteometa.cli import main
from osteometa.extraction.judgements import AcceptedWarning
from osteometa.io.csv_records import read_records
from osteometa.io.problems import CheckWarning
from osteometa.validation.review import check_review, write_warnings

CELLS = ("in_table", "row_key", "column", "code", "found")


@pytest.fixture
def questionable(small):
    """A review with a warning of n before and after."""
    raw = TESTS / "bad_input/W04_n_differs/data/raw/measurements.csv"
    (small / "data/raw/measurements.csv").write_bytes(raw.read_bytes())
    return small


def accept(review, capsys, **other):
    """Copy the cells of each new warning as `check --csv` shows them, and give a reason."""
    main(["check", "--csv", str(review)])
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    accepted = [{**{c: row[c] for c in CELLS}, "reason": "as reported", **other} for row in rows]
    with (review / "data/raw/accepted_warnings.csv").open("w", newline="") as lines:
        writer = csv.DictWriter(lines, [*CELLS, "reason"])
        writer.writeheader()
        writer.writerows(accepted)
    return rows


def test_the_shipped_review_has_no_new_warning():
    outcome = check_review(ROOT)
    assert [p.text() for p in outcome.problems if not p.reason] == []
    assert len(outcome.problems) == len(outcome.tables.accepted_warnings) > 0


def test_what_is_copied_from_the_check_is_accepted(questionable, capsys, tmp_path):
    assert accept(questionable, capsys)
    assert main(["check", str(questionable)]) == 0
    text = capsys.readouterr().out
    assert text == "0 problems, 0 warnings, 1 accepted warning.\n"
    write_warnings(tmp_path / "w.csv", check_review(questionable).problems)
    (row,) = read_records(tmp_path / "w.csv", CheckWarning)
    assert (row.code, row.reason, row.in_table) == ("W04", "as reported", "measurements")


def test_an_acceptance_of_another_value_is_named_and_the_warning_new(questionable, capsys):
    accept(questionable, capsys, found="19 after 20")
    main(["check", str(questionable)])
    text = capsys.readouterr().out
    assert "W04" in text and "W20" in text and "0 problems, 2 warnings." in text
    assert "accepted_warnings.csv; `osteometa check --csv`" in text


def test_an_acceptance_without_a_reason_is_refused(questionable, capsys):
    accept(questionable, capsys, reason="")
    assert main(["check", str(questionable)]) == 1
    assert "row 2, column reason" in capsys.readouterr().out


def test_new_warnings_come_before_accepted_ones(questionable, tmp_path):
    first, *_ = check_review(questionable).problems
    later = replace(first, row=1, reason="as reported")
    write_warnings(tmp_path / "w.csv", [later, first])
    assert [w.reason for w in read_records(tmp_path / "w.csv", CheckWarning)] == ["", "as reported"]


def test_a_table_of_acceptances_has_the_first_columns_of_the_warnings():
    assert AcceptedWarning.columns() == tuple(CheckWarning.__dataclass_fields__)[:6]


def test_an_acceptance_that_depends_on_other_studies_is_kept(questionable, capsys):
    accept(questionable, capsys, code="W43")
    main(["check", str(questionable)])
    assert "W20" not in capsys.readouterr().out
