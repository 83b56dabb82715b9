"""The ledger: no raw row is lost, and what it says is true."""

import csv
import re
from collections import Counter, defaultdict
from dataclasses import replace

import pytest
from builders import ROOT, cell_name, checked, derived_of
from osteometa.derivation.derive import derive
from osteometa.derivation.ledger import ledger_of
from osteometa.extraction.judgements import AcceptedWarning
from osteometa.extraction.tables import ROWS
from osteometa.synthesis.sets import includes

REVIEWS = [ROOT, *sorted((ROOT / "tests/reviews").iterdir())]
DATA = [model for model in ROWS if model is not AcceptedWarning]
"""Accepted warnings are about `osteometa check`, and not in the ledger."""
STATUSES = {"used", "direction_only", "not_used", "not_planned"}


def made(folder):
    outcome, derived = checked(folder), derived_of(folder)
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
    return {(model.table, row.row): row for model in DATA for row in getattr(tables, model.table)}


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
        with (ROOT / f"data/raw/{model.table}.csv").open(encoding="utf-8", newline="") as lines:
            reader = csv.DictReader(lines)
            typed = {}
            for row in reader:
                typed[reader.line_num] = tuple(row[column] for column in model.key)
        rows = getattr(tables, model.table)
        assert {row.row: tuple(str(getattr(row, c)) for c in model.key) for row in rows} == typed


def test_no_line_stands_twice(review):
    *_, ledger = review
    assert max(Counter(ledger).values()) == 1


def test_used_rows_are_the_cells_of_effects_and_the_other_way_round(review):
    tables, derived, config, ledger = review
    names = {
        cell_name(row, "x").rsplit(":", 1)[0]: (table, number)
        for (table, number), row in rows_of(tables).items()
        if table in ("measurements", "contrasts", "directions")
    }
    planned = defaultdict(set)
    for effect in derived.effects:
        for synthesis in config.syntheses:
            if includes(synthesis, effect):
                for cell in map(str, effect.inputs):
                    if not cell.startswith("arms:"):
                        planned[names[cell.rsplit(":", 1)[0]]].add(synthesis.id)
    used = defaultdict(set)
    for line in ledger:
        if line.status == "used" and line.table in ("measurements", "contrasts"):
            used[line.table, line.row].add(line.synthesis)
    for place, syntheses in used.items():
        assert syntheses <= planned[place] | {""}, place


FINDINGS = ("measurements", "contrasts", "directions")
PEOPLE_SAY = ("risk_of_bias", "prisma", "assays", "grade", "published_pools")


def lines_by_row(ledger):
    stated = defaultdict(list)
    for line in ledger:
        stated[line.table, line.row].append(line)
    return stated


def test_every_used_line_leads_to_an_effect(review):
    """Of findings to one that rests on the row, of studies and arms to one of theirs."""
    tables, derived, config, ledger = review
    rows = rows_of(tables)
    effects = {effect.effect_id: effect for effect in derived.effects}
    syntheses = {synthesis.id: synthesis for synthesis in config.syntheses}
    used = [line for line in ledger if line.status == "used"]
    for line in used:
        effect = effects[re.search(r"in the effect ([^ ,]+)", line.reason).group(1)]
        row = rows[line.table, line.row]
        assert effect.study_id == line.study_id
        assert includes(syntheses[line.synthesis], effect) and effect.block != "reduced"
        assert effect.pooled == ("not pooled" not in line.reason)
        if line.table in FINDINGS:
            assert any(cell.startswith(cell_name(row, "")) for cell in map(str, effect.inputs))
        if line.table == "arms":
            assert row.arm_id in (*effect.arm_id.split("+"), effect.comparator)
    assert {line.table for line in used} <= {"studies", "arms", *FINDINGS}


def test_every_effect_leads_back_to_filled_raw_cells_whose_rows_are_stated_as_used(review):
    tables, derived, config, ledger = review
    stated = lines_by_row(ledger)
    cells = {
        cell_name(row, column): (place, getattr(row, column))
        for place, row in rows_of(tables).items()
        for column in row.columns()
    }
    for effect in derived.effects:
        planned = {s.id for s in config.syntheses if includes(s, effect)}
        places = set()
        assert effect.inputs
        for cell in map(str, effect.inputs):
            place, value = cells[cell]
            assert value not in (None, ""), cell
            assert place[0] in ("arms", *FINDINGS), cell
            places.add(place)
        if effect.block == "reduced":
            assert effect.reason
            continue
        for synthesis in planned:
            lines = {
                place: [x for x in stated[place] if (x.status, x.synthesis) == ("used", synthesis)]
                for place in places
            }
            assert all(lines.values()), effect.effect_id
            # The line names one measure of the comparison; the others rest on the same values.
            comparison = f"in the effect {effect.effect_id.rpartition('.')[0]}."
            assert any(comparison in x.reason for found in lines.values() for x in found)


def test_a_line_of_directions_only_leads_to_a_direction_of_its_study(review):
    _, derived, config, ledger = review
    syntheses = {synthesis.id: synthesis for synthesis in config.syntheses}
    entries = defaultdict(list)
    for entry in derived.entries:
        entries[entry.study_id].append(entry)
    for line in ledger:
        if line.status != "direction_only":
            continue
        for name in line.synthesis.split("; "):
            assert any(
                includes(syntheses[name], entry) if name in syntheses
                else entry.counted
                and name == f"directions {entry.outcome} {entry.phase} {entry.design_class}"
                for entry in entries[line.study_id]
            ), line  # fmt: skip


def test_what_people_judge_and_what_others_pooled_is_in_no_effect(review):
    tables, derived, _, ledger = review
    stated = lines_by_row(ledger)
    for table in PEOPLE_SAY:
        for row in getattr(tables, table):
            (line,) = stated[table, row.row]
            assert (line.status, line.synthesis) == ("not_planned", "")
    for effect in derived.effects:
        assert not any(cell.startswith(PEOPLE_SAY) for cell in map(str, effect.inputs))


def test_the_shipped_review_is_walked_in_all_its_tables():
    """What is compared above is there: each table that has rows, and effects of all measures."""
    _, derived, _, ledger = made(ROOT)
    walked = Counter(table for table, _ in lines_by_row(ledger))
    for model in DATA:
        with (ROOT / f"data/raw/{model.table}.csv").open(encoding="utf-8", newline="") as lines:
            assert walked[model.table] == len(list(csv.DictReader(lines))), model.table
    assert walked["published_pools"] == 53
    assert {effect.measure for effect in derived.effects} == {"SMD", "ROM", "MD"}
    assert {line.status for line in ledger} == STATUSES


def test_what_stands_for_other_prints_is_stated_in_the_ledger():
    """Rows of other times say which time is taken; rows of merged arms are in the merged effect."""
    *_, ledger = made(ROOT)
    (reason,) = {
        line.reason for line in ledger
        if line.study_id == "hakestad_2015" and "the nearest to the end" in line.reason
        and line.table == "measurements"
    }  # fmt: skip
    assert reason == (
        "one effect per group of participants: represented by 6_months, the nearest to the end"
    )
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
