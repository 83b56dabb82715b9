"""Whether year and ages of a study agree with its other cells."""

from __future__ import annotations

import re
from collections.abc import Iterator

from osteometa.extraction.tables import Study, Tables
from osteometa.io.problems import Problem
from osteometa.validation.cells import warning_at

YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
RETRACTED = re.compile(r"^\W*retract(ed|ion)\b", re.IGNORECASE)
AGES = {"pre": (15, 55), "post": (40, 95), "": (5, 95)}
"""Mean ages of participants by menopause, beyond which a slip is likelier."""


def study_warnings(tables: Tables) -> Iterator[Problem]:
    """Yield warnings about years and ages that other cells of a study contradict."""
    for study in tables.studies:
        yield from _year(study)
        yield from _ages(study)
        if study.include == "yes" and RETRACTED.search(study.title):
            message = (
                "The title says that the paper was retracted. Enter include=no with the reason, "
                "or accept the warning with the reason for which it stays."
            )
            yield warning_at(study, "title", "W16", message, study.title)


def _year(study: Study) -> Iterator[Problem]:
    for column in ("label", "study_id"):
        named = YEAR.findall(getattr(study, column).replace("_", " "))
        if study.year is not None and named and str(study.year) not in named:
            message = (
                f"The year is {study.year}, but the {column} says {' and '.join(named)}. Correct "
                "one of the two."
            )
            yield warning_at(study, "year", "W47", message, study.year)
            return


def _ages(study: Study) -> Iterator[Problem]:
    mean, sd = study.age_mean, study.age_sd
    youngest, oldest = AGES.get(study.menopause, AGES[""])
    if mean is not None and not youngest <= mean <= oldest:
        who = f" (menopause: {study.menopause})" if study.menopause in ("pre", "post") else ""
        message = (
            f"A mean age of {mean.text} years is unusual{who}; {youngest} to {oldest} are "
            "expected. Is the decimal point right? Check the paper."
        )
        yield warning_at(study, "age_mean", "W48", message, mean)
    if mean is not None and sd is not None and sd > mean / 2:
        message = (
            f"The SD of age, {sd.text}, is more than half the mean, {mean.text}. Is the decimal "
            "point right? Check the paper."
        )
        yield warning_at(study, "age_sd", "W48", message, sd)
