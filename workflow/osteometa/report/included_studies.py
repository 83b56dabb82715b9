"""The table of included studies: who, what exercise, and what was reported of each outcome."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from osteometa.comparisons.classification import exercise_type, type_by_paper
from osteometa.extraction.tables import Arm, Study, Tables
from osteometa.protocol.config import Config
from osteometa.records.directions import ReportedResult
from osteometa.records.groups import grouped
from osteometa.report.sentences import place_words
from osteometa.report.studies import NOT_ASSESSED, risk_of
from osteometa.report.table_files import Table
from osteometa.wording.numbers import joined
from osteometa.wording.vocabulary import Design, Direction, DirectionBasis, ExerciseType, Phase

SIGNS = {
    Direction.UNCHANGED: "↔", Direction.MIXED: "◆", Direction.ZERO: "=", Direction.NOT_TOLD: "?",
}  # fmt: skip
NOTE = (
    "▲ ▼ higher or lower, difference between arms; △ ▽ higher or lower, change of one arm, or not "
    "stated what was compared; ↔ no significant change or difference, direction not given; ◆ "
    "mixed; = no difference; ? measured, result not reported; empty: not measured. Estimates "
    "are on the primary measure of the outcome, with 95 % intervals."
)
FACETS = ("arm", "place", "population", "time")
"""What results of one outcome may differ in, in the order in which it is named."""
POPULATION_WORDS = {
    "itt": "intention to treat", "per_protocol": "per protocol", "completers": "completers",
    "part": "a part of the participants",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class IncludedStudy:
    """A row of the table: a study in words."""

    study: Study
    types: str
    design: str
    participants: str
    exercise: str
    comparator: str
    outcomes: tuple[str, ...]
    """Of each outcome of config.yaml; empty where it was not measured."""
    others: str
    """Other outcomes."""
    risk: str


def included_studies(
    tables: Tables, reported: Iterable[ReportedResult], config: Config
) -> list[IncludedStudy]:
    """Return the included studies, ordered by their types of exercise and labels."""
    results = grouped(reported, lambda result: result.study_id)
    arms = grouped(tables.arms, lambda arm: arm.study_id)
    rows = []
    for study in tables.studies:
        if study.include == "yes":
            own = arms.get(study.study_id, [])
            kinds = {exercise_type(arm, config) for arm in own if arm.role == "exercise"}
            order = [kind for kind in ExerciseType if kind in kinds]
            places = tuple(list(ExerciseType).index(kind) for kind in order)
            row = _row(study, own, order, results.get(study.study_id, []), tables, config)
            rows.append(((len(order) > 1, places, study.label.casefold()), row))
    return [row for _, row in sorted(rows, key=lambda item: item[0])]


def _row(
    study: Study, arms: Sequence[Arm], kinds: Sequence[ExerciseType],
    results: Sequence[ReportedResult], tables: Tables, config: Config,
) -> IncludedStudy:  # fmt: skip
    exercise = [arm for arm in arms if arm.role == "exercise"]
    others = dict.fromkeys(r.outcome for r in results if r.outcome not in config.outcomes)
    cells = {
        name: outcome_cell([r for r in results if r.outcome == name], config)
        for name in (*config.outcomes, *others)
    }
    return IncludedStudy(
        study=study,
        types=joined([kind.words for kind in kinds]).capitalize(),
        design=Design(study.design).words,
        participants=_participants(study),
        exercise="; ".join(_exercise(arm, config) for arm in exercise),
        comparator="; ".join(arm.label for arm in arms if arm.role == "control"),
        outcomes=tuple(cells[name] for name in config.outcomes),
        others="; ".join(f"{name.replace('_', ' ')} {cells[name]}" for name in others),
        risk=risk_of(study.study_id, tables),
    )


def _participants(study: Study) -> str:
    parts = [study.population]
    parts += [] if study.n_enrolled is None else [f"n = {study.n_enrolled}"]
    if study.age_mean is not None:
        spread = "" if study.age_sd is None else f" (SD {study.age_sd:g})"
        parts.append(f"age {study.age_mean:g}{spread}")
    parts += [study.sex] if study.sex and study.sex != "mixed" else []
    parts += [f"indirect: {_words(study.indirect)}"] if study.indirect else []
    return "; ".join(filter(None, parts))


def _exercise(arm: Arm, config: Config) -> str:
    first, second = exercise_type(arm, config), type_by_paper(arm, config)
    weeks = "" if arm.weeks is None else f"{arm.weeks:g} weeks"
    dose = "" if arm.dose in arm.label else arm.dose
    details = [dose, "" if weeks in arm.dose else weeks]
    details += [Phase.ACUTE.words] if arm.phase == Phase.ACUTE else []
    details += [f"{second.words} according to the paper"] if first != second else []
    named = ", ".join(filter(None, details))
    return f"{arm.label} ({named})" if named else arm.label


@dataclass(frozen=True, slots=True)
class _Told:
    """A result as it stands in a cell."""

    arm: str
    """Empty for the only exercise arm of a study."""
    place: str
    population: str
    time: str
    words: str

    def name(self, facets: Sequence[str]) -> str:
        """Return what distinguishes it, the time in brackets behind the rest."""
        parts = [getattr(self, facet) for facet in facets if facet != "time"]
        first = ", ".join(filter(None, parts))
        if "time" not in facets:
            return first
        return f"{first} ({self.time})" if first else self.time


def outcome_cell(results: Sequence[ReportedResult], config: Config) -> str:
    """Return what a study reports of one outcome: once where all arms, times and sites agree.

    Results that differ are named by no more than is needed to distinguish them. Of several sources
    of one result that with an estimate is taken, and one that states a direction before one that
    does not.
    """
    best: dict[tuple[str, ...], ReportedResult] = {}
    for r in results:
        key = (r.arm_label, r.timepoint, r.site, r.analyte, r.population_analysed)
        if key not in best or _rank(r) > _rank(best[key]):
            best[key] = r
    several = len({r.arm_id for r in results if r.role == "exercise"}) > 1
    stated = [
        _Told(
            r.arm_label if several or r.role == "control" else "",
            _place(r, config),
            POPULATION_WORDS.get(r.population_analysed, ""),
            _words(r.timepoint),
            _result(r, config),
        )
        for r in best.values()
    ]
    if len({item.words for item in stated}) == 1:
        times = list(dict.fromkeys(item.time for item in stated if item.time != "not stated"))
        return stated[0].words + (f" ({', '.join(times)})" if len(times) > 1 else "")
    for size in range(1, len(FACETS) + 1):
        for facets in combinations(FACETS, size):
            named: dict[str, set[str]] = {}
            for item in stated:
                named.setdefault(item.name(facets), set()).add(item.words)
            if all(len(words) == 1 for words in named.values()):
                return _listed({name: next(iter(words)) for name, words in named.items()})
    return "; ".join(f"{item.name(FACETS)}: {item.words}" for item in stated)


def _listed(named: dict[str, str]) -> str:
    """Return results with their names, the names of equal results together."""
    groups = grouped(named, lambda name: named[name])
    return "; ".join(f"{' and '.join(filter(None, names))}: {words}" if any(names) else words
                     for words, names in groups.items())  # fmt: skip


def _rank(result: ReportedResult) -> tuple[bool, bool, bool]:
    return (
        result.estimate is not None, result.direction != Direction.NOT_TOLD,
        result.basis == DirectionBasis.BETWEEN_ARM,
    )  # fmt: skip


def sign(direction: Direction, basis: DirectionBasis) -> str:
    """Return the sign of a reported direction."""
    if direction in SIGNS:
        return SIGNS[direction]
    up, down = ("▲", "▼") if basis == DirectionBasis.BETWEEN_ARM else ("△", "▽")
    return up if direction == Direction.UP else down


def _result(result: ReportedResult, config: Config) -> str:
    if result.estimate is None or result.ci_low is None or result.ci_high is None:
        return sign(result.direction, result.basis)
    outcome = config.outcomes[result.outcome]
    unit = outcome.unit_of(result.analyte) if result.measure == "MD" else ""
    scale = outcome.scale(result.measure, unit, "[a, b]")
    limits = scale.bracketed(result.ci_low, result.ci_high)
    measure = "" if scale.percent else f"{result.measure} "
    return (
        f"{sign(result.direction, result.basis)} {measure}{scale.value(result.estimate)} {limits}"
    )


def _place(result: ReportedResult, config: Config) -> str:
    outcome = config.outcomes.get(result.outcome)
    if outcome is None:
        return _words(result.site)
    return place_words(outcome, result.analyte, result.site)


def _words(name: str) -> str:
    return name.replace("_", " ")


def included_table(rows: Sequence[IncludedStudy], config: Config) -> Table:
    """Return the table in words."""
    heads = ("Study", "Participants", "Exercise and comparator", *config.outcomes, "Other outcomes")
    body = tuple((row.types, _cells(row)) for row in rows)
    return Table(
        title="Included studies",
        heads=heads,
        widths=_widths([heads, *(cells for _, cells in body)]),
        rows=body,
        note=NOTE,
    )


def _cells(row: IncludedStudy) -> tuple[str, ...]:
    against = f", against {row.comparator}" if row.comparator else ""
    risk = "" if row.risk == NOT_ASSESSED else f"; risk of bias {row.risk}"
    return (
        f"{row.study.label}, {row.design}{risk}", row.participants, row.exercise + against,
        *row.outcomes, row.others,
    )  # fmt: skip


def _widths(rows: Iterable[Sequence[str]]) -> tuple[float, ...]:
    """Return the widths of columns: the root of their longest text, within bounds."""
    longest = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return tuple(round(min(max(length**0.5, 6.0), 14.0), 2) for length in longest)
