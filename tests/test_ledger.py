"""The ledger: no raw row is lost, and what it says is true."""

from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path

import pytest
from osteometa.check import check_review
from osteometa.evidence import derive
from osteometa.ledger import ledger_of
from osteometa.syntheses import asks_for
from osteometa.tables import ROWS

ROOT = Path(__file__).parents[1]
REVIEWS = [ROOT, *sorted((ROOT / "tests/reviews").iterdir())]
STATUSES = {"used", "direction_only", "not_used", "not_asked"}


def made(folder):
    outcome = check_review(folder)
    assert outcome.passed
    derived = derive(outcome.tables, outcome.config)
    return (
        outcome.tables,
        derived,
        outcome.config,
        ledger_of(outcome.tables, derived, outcome.config),
    )


@pytest.fixture(scope="module", params=REVIEWS, ids=lambda path: path.name)
def review(request):
    return made(request.param)


def rows_of(tables):
    return {(model.table, row.row): row for model in ROWS for row in getattr(tables, model.table)}


def test_every_raw_row_has_a_line_and_every_line_a_row(review):
    tables, _, _, ledger = review
    rows = rows_of(tables)
    assert {(line.table, line.row) for line in ledger} == set(rows)
    for line in ledger:
        assert line.status in STATUSES
        assert line.reason.strip()
        assert line.study_id == getattr(rows[line.table, line.row], "study_id", "")


def test_row_numbers_are_those_of_the_spreadsheet():
    tables, *_ = made(ROOT)
    for model in ROWS:
        lines = (ROOT / f"data/raw/{model.table}.csv").read_text(encoding="utf-8").splitlines()
        for row in getattr(tables, model.table):
            study = getattr(row, "study_id", None)
            if study:
                assert lines[row.row - 1].startswith(study + ",")


def test_no_line_stands_twice(review):
    *_, ledger = review
    assert max(Counter(ledger).values()) == 1


def test_used_rows_are_the_cells_of_effects_and_the_other_way_round(review):
    tables, derived, config, ledger = review
    names = {
        row.cell_name("x").rsplit(":", 1)[0]: (table, number)
        for (table, number), row in rows_of(tables).items()
        if table in ("measurements", "contrasts", "directions")
    }
    asked = defaultdict(set)
    for effect in derived.effects:
        for synthesis in config.syntheses:
            if asks_for(synthesis, effect):
                for cell in effect.inputs.split():
                    asked[names[cell.rsplit(":", 1)[0]]].add(synthesis.id)
    used = defaultdict(set)
    for line in ledger:
        if line.status == "used" and line.table in ("measurements", "contrasts"):
            used[line.table, line.row].add(line.synthesis)
    for place, syntheses in used.items():
        assert syntheses <= asked[place] | {""}, place


def test_an_excluded_study_says_why():
    tables, _, config, _ = made(ROOT / "tests/reviews/small")
    first = tables.studies[0]
    reason = "another copy of the same trial"
    changed = replace(
        tables,
        studies=(
            first.model_copy(update={"include": "no", "exclude_reason": reason}),
            *tables.studies[1:],
        ),
    )
    derived = derive(changed, config)
    lines = [
        line for line in ledger_of(changed, derived, config) if line.study_id == first.study_id
    ]
    assert lines
    assert {line.status for line in lines} == {"not_used"}
    assert all(reason in line.reason for line in lines)
    assert all(effect.study_id != first.study_id for effect in derived.effects)
