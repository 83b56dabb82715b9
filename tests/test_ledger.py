"""The ledger: no raw row is lost, and what it says is true."""

import re
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
                    if not cell.startswith("arms:"):
                        asked[names[cell.rsplit(":", 1)[0]]].add(synthesis.id)
    used = defaultdict(set)
    for line in ledger:
        if line.status == "used" and line.table in ("measurements", "contrasts"):
            used[line.table, line.row].add(line.synthesis)
    for place, syntheses in used.items():
        assert syntheses <= asked[place] | {""}, place


def test_every_number_can_be_followed_both_ways(review):
    """Each raw row to the ledger, each used line to its effect, each effect to filled raw cells."""
    tables, derived, config, ledger = review
    rows = rows_of(tables)
    effects = {effect.effect_id: effect for effect in derived.effects}
    told = defaultdict(list)
    for line in ledger:
        told[line.table, line.row].append(line)
    assert set(told) == set(rows)
    findings = ("measurements", "contrasts", "directions")
    for line in ledger:
        if line.status != "used" or line.table not in findings:
            continue
        effect = effects[re.search(r"in the effect ([^ ,]+)", line.reason).group(1)]
        name = rows[line.table, line.row].cell_name("")
        assert any(cell.startswith(name) for cell in effect.inputs.split())
        synthesis = next(s for s in config.syntheses if s.id == line.synthesis)
        assert asks_for(synthesis, effect) and effect.block != "reduced"
        assert effect.pooled == ("not pooled" not in line.reason)
    cells = {
        row.cell_name(column): (table, number, getattr(row, column))
        for (table, number), row in rows.items()
        if hasattr(row, "cell_name")
        for column in row.columns()
    }
    for effect in derived.effects:
        assert effect.inputs
        for cell in effect.inputs.split():
            table, number, value = cells[cell]
            assert value not in (None, ""), cell
            uses = [line for line in told[table, number] if line.status == "used"]
            asked = [s.id for s in config.syntheses if asks_for(s, effect)]
            if effect.block != "reduced" and asked and table in findings:
                assert {line.synthesis for line in uses} >= set(asked)
            elif effect.block == "reduced":
                assert effect.reason


def test_what_stands_for_other_prints_is_told_in_the_ledger():
    """Rows of other times say which time is taken; rows of merged arms are in the merged effect."""
    *_, ledger = made(ROOT)
    (reason,) = {
        line.reason for line in ledger
        if line.study_id == "hakestad_2015" and "the nearest to the end" in line.reason
        and line.table == "measurements"
    }  # fmt: skip
    assert reason == "the same people once: 6_months is taken, the nearest to the end"
    *_, ledger = made(ROOT / "tests/reviews/shared_control")
    merged = [
        line for line in ledger
        if line.study_id == "made_one_type_2002" and line.table == "measurements"
        and line.synthesis == "bmd_lumbar_spine_training_controlled"
    ]  # fmt: skip
    assert len(merged) == 6
    assert all("made_one_type_2002.high+low." in line.reason for line in merged)


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
