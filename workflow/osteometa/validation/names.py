"""Warnings about names that almost match, and rows that have no partner because of one."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence

from osteometa.extraction.cell_types import Row
from osteometa.extraction.tables import Arm, Contrast, Finding, Measurement, Tables
from osteometa.io.problems import Problem
from osteometa.protocol.config import Config
from osteometa.records.groups import grouped
from osteometa.validation.between_rows import same_population
from osteometa.validation.cells import warning_at

LETTERS = 5
"""Letters of the shortest word in which one letter is taken for a slip."""
PAIRED = ("analyte", "site", "timepoint", "kind", "report", "population_analysed")
"""Columns in which rows of two arms must agree to be compared."""
CONTROL = r"controls?|sedentary|inactive|untrained|non-?exercis\w+|usual care|no exercise"
"""Words of arms that are not trained."""


def name_warnings(tables: Tables, config: Config) -> Iterator[Problem]:
    """Yield warnings about keys that are typed in two ways, or left out."""
    for column in ("timepoint", "report"):
        yield from _alike(tables.findings, column)
    yield from _alike(tables.arms, "arm_id")
    for row in tables.findings:
        if row.time_wk == 0 and row.timepoint not in ("baseline", "during"):
            message = (
                f"Week 0 is the start, but the timepoint is '{row.timepoint}'. If it is the value "
                "before the training, enter 'baseline'."
            )
            yield warning_at(row, "timepoint", "W34", message, row.timepoint)
    reported = {(row.study_id, row.outcome) for row in tables.findings}
    for judged in tables.risk_of_bias:
        if judged.outcome and (judged.study_id, judged.outcome) not in reported:
            message = (
                f"The study has no row for {judged.outcome}. Is the judgement of another outcome, "
                "or of another study?"
            )
            yield warning_at(judged, "outcome", "W49", message, judged.outcome)
    yield from _without_partner(tables)
    yield from _without_comparator(tables)
    yield from _roles(tables.arms, config)


def _alike(rows: Sequence[Finding] | Sequence[Arm], column: str) -> Iterator[Problem]:
    """Warn of two names of one study that differ by a letter, a space or an underscore."""
    first: dict[str, dict[str, Row]] = defaultdict(dict)
    for row in rows:
        first[row.study_id].setdefault(getattr(row, column), row)
    for names in first.values():
        known = ["baseline", "during"] if column == "timepoint" else []
        for name, row in names.items():
            near = next((one for one in known if one != name and name and almost(one, name)), "")
            if near:
                message = (
                    f"'{name}' and '{near}' of one study almost match. Are they the same "
                    f"{column}? Then enter one name; otherwise rows are not compared."
                )
                yield warning_at(row, column, "W34", message, f"{name} beside {near}")
            known.append(name)


def almost(one: str, other: str) -> bool:
    """Return whether two different names match but for case, separators, a plural or one letter."""
    words, others = (re.split(r"[\W_]+", name.lower()) for name in (one, other))
    if "".join(words) == "".join(others):
        return True
    pairs = zip(words, others, strict=False)
    different = [(a, b) for a, b in pairs if a.removesuffix("s") != b.removesuffix("s")]
    if len(words) != len(others) or len(different) > 1:
        return False
    return all(_one_letter(*pair) for pair in different)


def _one_letter(one: str, other: str) -> bool:
    """Return whether one letter is changed, left out or exchanged with the next; never a digit."""
    short, long = sorted((one, other), key=len)
    if len(short) < LETTERS or len(long) > len(short) + 1 or not (short + long).isalpha():
        return False
    i = next((i for i, pair in enumerate(zip(short, long, strict=False)) if pair[0] != pair[1]), -1)
    if i < 0 or len(short) < len(long):
        return i < 0 or short[i:] == long[i + 1 :]
    exchanged = short[i : i + 2] == long[i : i + 2][::-1] and short[i + 2 :] == long[i + 2 :]
    return exchanged or short[i + 1 :] == long[i + 1 :]


def _without_partner(tables: Tables) -> Iterator[Problem]:
    """Warn of rows of two arms that would be compared but for one column, or for a missing row."""
    rows: dict[tuple[str, str], dict[tuple[str, ...], Measurement]] = defaultdict(dict)
    for row in tables.measurements:
        rows[row.study_id, row.arm_id].setdefault(_place(row), row)
    tests = grouped(tables.contrasts, lambda row: row.study_id)
    compared_arms = [arm for arm in tables.arms if arm.comparator]
    against = grouped(compared_arms, lambda arm: (arm.study_id, arm.comparator))
    for (study, comparator), arms in against.items():
        partners = rows[study, comparator]
        trained = {place: row for arm in arms for place, row in rows[study, arm.arm_id].items()}
        tested = {(row.arm_id, _point(row)) for row in tests.get(study, ())}
        alone = [row for place, row in partners.items() if place not in trained]
        named: set[int] = set()
        for arm in arms:
            found = rows[study, arm.arm_id]
            own = [row for place, row in found.items() if place not in partners]
            pairs = list(_pairs(own, alone))
            yield from (problem for problem, _ in pairs)
            named |= {row for problem, other in pairs for row in (problem.row or 0, other)}
            points = {point for name, point in tested if name == arm.arm_id}
            lacking = [row for row in own if row.row not in named and _point(row) not in points]
            yield from _missing(lacking, partners.values(), f"The comparator '{comparator}'")
        points = {point for _, point in tested}
        lacking = [row for row in alone if row.row not in named and _point(row) not in points]
        yield from _missing(lacking, trained.values(), "The exercise arm")


def _place(row: Measurement) -> tuple[str, ...]:
    return (row.outcome, *(getattr(row, column) for column in PAIRED))


def _point(row: Measurement | Contrast) -> tuple[str, ...]:
    return (row.outcome, row.analyte, row.site, row.timepoint)


def _missing(
    rows: Iterable[Measurement], others: Collection[Measurement], who: str
) -> Iterator[Problem]:
    """Warn of rows to which the other arm has none, though it has such rows.

    Such rows are of the same outcome and site at another time, or of the same time elsewhere. Where
    the other arm gives another number for the comparison (a level for a change), none is missing.
    """
    for row in rows:
        own = [other for other in others if (other.kind, other.report) == (row.kind, row.report)]
        there = any(_point(other)[:3] == _point(row)[:3] for other in own)
        then = row.timepoint != "baseline" and any(o.timepoint == row.timepoint for o in own)
        instead = any(_point(o) == _point(row) and o.report == row.report for o in others)
        if (there or then) and not instead:
            such = "at other times" if there else "of this time for other sites or outcomes"
            message = (
                f"{who} has no row for this outcome, site and time, but has rows {such}. Is one "
                "left out, or mistyped? If the paper does not report it, accept the warning."
            )
            yield warning_at(row, "timepoint", "W35", message, row.timepoint)


def _pairs(
    rows: Iterable[Measurement], others: Sequence[Measurement]
) -> Iterator[tuple[Problem, int]]:
    """Yield a warning of each row that differs in one column from one of the others, with that."""
    for row in rows:
        for other in others:
            different = [c for c in PAIRED if getattr(row, c) != getattr(other, c)]
            compared = different == ["population_analysed"] and same_population(row, other)
            if row.outcome == other.outcome and len(different) == 1 and not compared:
                (column,) = different
                name, near = (getattr(one, column) or "(empty)" for one in (row, other))
                message = (
                    f"This row has {column} '{name}'; that of the comparator has '{near}' (row "
                    f"{other.row}) and agrees in the rest. They are not compared. Is it the same "
                    f"{column.replace('_', ' ')}? Then enter one name."
                )
                found = f"{name} beside {near}"
                yield warning_at(row, column, "W35", message, found), other.row
                break


def _roles(arms: Sequence[Arm], config: Config) -> Iterator[Problem]:
    """Warn of an arm whose role its name contradicts, and of a trained arm as usual comparator."""
    usual = {(arm.study_id, arm.comparator) for arm in arms if arm.comparator_kind == "usual"}
    named = "|".join(name.replace("_", " ") for name in config.modalities)
    trained = rf"(?<!no )(?<!non )(?<!without )\b(exercise|training|{named})\b"
    for arm in arms:
        name, words = arm.arm_id.lower(), trained if arm.role == "control" else CONTROL
        if arm.role == "control" and (arm.study_id, arm.arm_id) not in usual:
            continue
        if arm.role == "control" and arm.modality not in ("", "not_stated"):
            name = arm.modality
        name = name.replace("_", " ")
        match = re.search(rf"\b({words})\b", name) or re.match(words, arm.label.lower())
        if match:
            message = (
                f"The role is {arm.role}, but name or modality say '{match[0]}'. Are two arms "
                "exchanged? If it is no usual control, correct comparator_kind."
            )
            yield warning_at(arm, "role", "W13", message, f"{arm.role} beside {match[0]}")


def _without_comparator(tables: Tables) -> Iterator[Problem]:
    """Warn of an exercise arm without comparator in a controlled trial.

    Of a trial that is not randomised only if it has a control arm.
    """
    designs = {study.study_id: study.design for study in tables.studies}
    controls = {arm.study_id: arm.arm_id for arm in tables.arms if arm.role == "control"}
    compared = {arm.study_id for arm in tables.arms if arm.comparator}
    for arm in tables.arms:
        design, control = designs.get(arm.study_id), controls.get(arm.study_id, "")
        if arm.role != "exercise" or arm.comparator:
            continue
        randomised = design in ("rct", "crossover_rct")
        if control and (randomised or design == "nrct"):
            what = f"The study has the control arm '{control}', but this arm has no comparator"
        elif randomised and arm.study_id not in compared:
            what = f"The design is {design}, but neither this arm nor another has a comparator"
        else:
            continue
        message = (
            f"{what}: this arm is compared with its own baseline and leaves the pools of "
            "controlled trials. Enter the comparator, with comparator_kind, or correct the design."
        )
        yield warning_at(arm, "comparator", "W36", message)
