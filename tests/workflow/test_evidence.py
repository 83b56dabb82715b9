"""Every row of the evidence stands in the raw tables, and map.csv says where.

`comparisons.csv`, `arm_numbers.csv`, `table_one.csv` and, of November 2026, `found_2026_11.csv` and
`found_arms_2026_11.csv` are what was read in the papers; `map.csv` names, for each of their rows,
the raw rows that carry it.
"""

import csv
import re

import pytest
from builders import ROOT
from osteometa.derivation.derive import derive
from osteometa.validation.review import check_review

EVIDENCE = ROOT / "tests/evidence"


def rows_of(name):
    with (EVIDENCE / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


MAP = rows_of("map.csv")


@pytest.fixture(scope="module")
def raw():
    tables = check_review(ROOT).tables
    named = ("studies", "arms", "measurements", "contrasts", "directions")
    return {(name, row.key_text): row for name in named for row in getattr(tables, name)}


FOUND = "found_2026_11.csv"


@pytest.mark.parametrize(
    ("name", "count"),
    [("comparisons.csv", 307), ("arm_numbers.csv", 95), (FOUND, 117),
     ("found_arms_2026_11.csv", 25)],
)  # fmt: skip
def test_every_row_of_the_evidence_is_mapped(name, count):
    rows = rows_of(name)
    assert len(rows) == count
    mapped = {int(line["evidence_row"]) for line in MAP if line["file"] == name}
    assert mapped == set(range(2, count + 2))


def test_every_mapped_row_is_in_the_raw_tables(raw):
    lost = [line for line in MAP if (line["table"], line["key"]) not in raw]
    assert lost == []


def texts_of(lines, raw):
    """All that the raw rows of the studies of an evidence row say."""
    studies = {raw[line["table"], line["key"]].study_id for line in lines}
    texts = []
    for row in raw.values():
        if row.study_id in studies:
            values = (getattr(row, column) for column in type(row).columns())
            texts += [
                str(getattr(value, "text", value)) for value in values if value not in (None, "")
            ]
    return " ".join(texts)


# Numbers of the evidence that no paper reports: sums and shares of its own, so in no raw cell.
DERIVED = {
    (75, "arm_e_n"): "13 + 15 + 12 of three arms",
    (219, "arm_e_n"): "42 allocated equally", (219, "arm_c_n"): "42 allocated equally",
    (220, "arm_e_n"): "42 allocated equally", (220, "arm_c_n"): "42 allocated equally",
    (305, "arm_e_n"): "9 + 10 of two cohorts",
}  # fmt: skip


NUMBER = re.compile(r"\d+(?:\.\d+)?|\.\d+")


def numbers_in(text):
    return {float(number) for number in NUMBER.findall(text)}


PRINTED = (
    "arm_e_n", "arm_e_pre_mean", "arm_e_pre_sd", "arm_e_post_mean", "arm_e_post_sd",
    "arm_e_change_mean", "arm_e_change_sd", "arm_c_n", "arm_c_pre_mean", "arm_c_pre_sd",
    "arm_c_post_mean", "arm_c_post_sd", "arm_c_change_mean", "arm_c_change_sd", "stat_value",
)  # fmt: skip
ARM_NUMBERS = ("n", "mean", "sd", "se", "ci_low", "ci_high")


@pytest.mark.parametrize(
    ("name", "columns"),
    [("comparisons.csv", PRINTED), ("arm_numbers.csv", ARM_NUMBERS), (FOUND, PRINTED),
     ("found_arms_2026_11.csv", ARM_NUMBERS)],
)  # fmt: skip
def test_every_printed_number_stands_in_the_rows_that_carry_it(name, columns, raw):
    lost = []
    for number, row in enumerate(rows_of(name), start=2):
        lines = [m for m in MAP if (m["file"], int(m["evidence_row"])) == (name, number)]
        found = numbers_in(texts_of(lines, raw))
        for column in columns:
            for value in numbers_in(row[column].replace("−", "-")):
                if not any(abs(value - other) < 1e-9 for other in found):
                    lost.append((number, column))
    assert lost == (list(DERIVED) if name == "comparisons.csv" else [])


def carriers(number, table, raw):
    """The raw rows of one table that carry a row of the finds of November 2026."""
    lines = [m for m in MAP if (m["file"], m["evidence_row"]) == (FOUND, str(number))]
    return [raw[table, m["key"]] for m in lines if m["table"] == table]


# A rate per month or year is no change of the programme; the unit of the rest after a season was
# not seen: these numbers are in notes.
IN_NOTES = {41, 65, 101, 102, 103}
BESIDE = {37: "the arm of the sentence is not said"}
"""Rows whose direction has another basis than in the evidence, with the reason."""


def test_every_direction_found_is_a_direction_of_an_exercise_arm(raw):
    roles = {key: row.role for (table, key), row in raw.items() if table == "arms"}
    for number, row in enumerate(rows_of(FOUND), start=2):
        basis = "not_stated" if number in BESIDE else f"{row['stat_compares']}_arm"
        found = {
            (one.basis, one.arrow, one.significant)
            for one in carriers(number, "directions", raw)
            if roles[f"{one.study_id}/{one.arm_id}"] == "exercise"
        }
        significant = row["significant"].replace("unknown", "not_stated")
        assert (basis, row["direction"], significant) in found, number


def test_every_p_found_is_that_of_a_contrast(raw):
    for number, row in enumerate(rows_of(FOUND), start=2):
        if row["stat_kind"] == "p":
            operator, p = re.fullmatch(r"([<>]?=?)([\d.]+)", row["stat_value"]).groups()
            found = {
                (one.compares, one.p_operator, float(one.p))
                for one in carriers(number, "contrasts", raw)
                if one.p is not None
            }
            assert (row["stat_compares"], operator or "=", float(p)) in found, number


def test_every_mean_found_is_a_measurement_of_its_arm(raw):
    roles = {key: row.role for (table, key), row in raw.items() if table == "arms"}
    spreads = {"SD": "sd", "SE": "se", "unknown": "spread"}
    for number, row in enumerate(rows_of(FOUND), start=2):
        for side, when in ((s, w) for s in "ec" for w in ("pre", "post", "change")):
            mean = row[f"arm_{side}_{when}_mean"]
            if not mean or (number in IN_NOTES and when == "change"):
                continue
            column, sd = spreads.get(row["dispersion_kind"]), row[f"arm_{side}_{when}_sd"]
            kinds = ("change", "pct_change") if when == "change" else ("level",)
            assert any(
                float(one.mean) == float(mean)
                and one.kind in kinds
                and (one.timepoint == "baseline") == (when == "pre")
                and (not sd or float(getattr(one, column)) == float(sd))
                # Of two programmes the comparator is an exercise arm, too.
                and (side == "c" or roles[f"{one.study_id}/{one.arm_id}"] == "exercise")
                for one in carriers(number, "measurements", raw)
            ), (number, side, when)


def test_every_arrow_of_table_one_is_a_direction(raw):
    arrows = rows_of("table_one.csv")
    assert len(arrows) == 84
    directions = [row for (table, _), row in raw.items() if table == "directions"]
    counts = {}
    for row in directions:
        if row.source.startswith("seed review"):
            counts[row.arrow] = counts.get(row.arrow, 0) + 1
    assert sum(counts.values()) == 84
    assert len({row.outcome for row in directions if row.source.startswith("seed review")}) == 20


def test_rows_of_tier_0_give_no_known_vote():
    """The direction rows of evidence that is not usable as it stands; means beside them or not."""
    outcome = check_review(ROOT)
    rows = {row.key_text: row for row in outcome.tables.directions}
    entries = derive(outcome.tables, outcome.config).entries
    evidence = {name: rows_of(name) for name in ("comparisons.csv", FOUND)}
    typed = [
        rows[line["key"]]
        for line in MAP
        if line["file"] in evidence
        and line["table"] == "directions"
        and evidence[line["file"]][int(line["evidence_row"]) - 2]["note"].startswith("tier=0")
    ]
    assert len(typed) > 50
    place = ("study_id", "outcome", "analyte", "site", "timepoint", "report")
    for row in typed:
        for entry in entries:
            if all(getattr(row, name) == getattr(entry, name) for name in place) and (
                row.arm_id in entry.arm_id.split("+")
            ):
                assert not entry.counted or entry.direction.unknown, row.key_text


PAGE = (ROOT / "docs/evidence.md").read_text(encoding="utf-8")


def cells_of_tables(page):
    """The cells of the page's tables, one list per line."""
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in page.splitlines()
        if line.startswith("|")
    ]


def test_the_page_on_evidence_names_studies_that_are_there(raw):
    studies = {row.study_id for row in raw.values()}
    dated = re.findall(r"`([a-z_]+_(?:19|20)\d\d[a-z0-9_]*)`", PAGE)
    first = [re.match(r"`([a-z0-9_]+)`", cells[0]) for cells in cells_of_tables(PAGE)]
    named = {*dated, *(match[1] for match in first if match)}
    assert len(named) > 80
    assert named <= studies


def test_the_page_on_evidence_counts_as_the_files_do():
    stated = {first.strip("`"): second for first, second, *_ in cells_of_tables(PAGE)}
    files = ("comparisons.csv", "arm_numbers.csv", FOUND, "found_arms_2026_11.csv", "table_one.csv")
    for name in (*files, "map.csv"):
        assert stated[name] == str(len(rows_of(name)))
    graded = [*rows_of("comparisons.csv"), *rows_of(FOUND)]
    tiers = [re.match(r"tier=(\d[ab]?)", row["note"])[1] for row in graded]
    for tier in ("0", "1", "2", "3a", "3b", "4a", "4b", "5"):
        assert stated[tier] == str(tiers.count(tier)), tier
