"""Rules between rows: keys, names that must exist, comparators, baselines."""

from collections.abc import Iterator

from osteometa.extraction.cell_types import Row
from osteometa.extraction.judgements import CONCERNS, DOMAINS, Claim
from osteometa.extraction.tables import ENTERED_FLAGS, ROWS, Arm, Tables
from osteometa.io.problems import Problem, suggestion
from osteometa.protocol.config import Config
from osteometa.validation.cells import problem_at

ROB_DOMAINS = {
    "rob2": (*(f"d{i}" for i in range(1, 6)), "overall"),
    "robins_i": (*(f"d{i}" for i in range(1, 8)), "overall"),
    "nhlbi_prepost": (*(f"q{i}" for i in range(1, 13)), "overall"),
}
ROB_LEVELS = {
    "rob2": ("low", "some", "high"),
    "robins_i": ("low", "moderate", "serious", "critical", "no_information"),
    "nhlbi_prepost": ("yes", "no", "other"),
}
NHLBI_OVERALL = ("good", "fair", "poor")


def link_problems(
    tables: Tables, config: Config | None, unread: frozenset[tuple[str, str]] = frozenset()
) -> Iterator[Problem]:
    """Yield the problems between rows and with the names of the config."""
    yield from _duplicates(tables)
    yield from _foreign_keys(tables, unread)
    for claim in tables.claims:
        yield from _expectation(claim)
        yield from _arms_of_claim(claim, tables, unread)
    if config is not None:
        yield from _vocabulary(tables, config)
        for claim in tables.claims:
            yield from _cell_of_claim(claim, config)
        yield from _arms(tables, config, unread)
    yield from _baselines(tables)
    yield from _judgements(tables)


def _duplicates(tables: Tables) -> Iterator[Problem]:
    for model in ROWS:
        first: dict[str, int] = {}
        for row in getattr(tables, model.table):
            if row.key_text in first:
                or_else = ", or distinguish them by `report`" if "report" in model.key else ""
                message = (
                    f"This row of {model.table}.csv is entered twice (first in row "
                    f"{first[row.key_text]}). Delete one of the two{or_else}."
                )
                yield problem_at(row, ", ".join(model.key), "E103", message, row.key_text)
            first.setdefault(row.key_text, row.row)


def _foreign_keys(tables: Tables, unread: frozenset[tuple[str, str]]) -> Iterator[Problem]:
    studies = {study.study_id for study in tables.studies}
    arms = {(arm.study_id, arm.arm_id) for arm in tables.arms}
    for row in (*tables.arms, *tables.findings, *tables.risk_of_bias):
        if row.study_id not in studies and not _unread(row.study_id, unread):
            near = suggestion(row.study_id, studies)
            message = f"Study '{row.study_id}' is not in studies.csv. {near}Add it there."
            yield problem_at(row, "study_id", "E104", message, row.study_id)
    for row in tables.findings:
        lacks = row.study_id in studies and (row.study_id, row.arm_id) not in arms
        if lacks and not _unread(row.study_id, unread):
            known = sorted(arm for study, arm in arms if study == row.study_id)
            message = (
                f"Arm '{row.arm_id}' of study '{row.study_id}' is not in arms.csv. "
                f"Known: {', '.join(known) or 'none'}. Add it there or correct the name."
            )
            yield problem_at(row, "arm_id", "E104", message, row.arm_id)


def _unread(study_id: str, unread: frozenset[tuple[str, str]]) -> bool:
    """Return whether the study or its arms may be among the rows that could not be read."""
    return any(
        (table, study) in unread for table in ("studies", "arms") for study in (study_id, "")
    )


def _vocabulary(tables: Tables, config: Config) -> Iterator[Problem]:
    outcomes = (*config.outcomes, *config.secondary_outcomes)
    for row in tables.findings:
        yield from _listed(row, "outcome", outcomes)
        if row.outcome not in outcomes:
            continue
        main = config.outcomes.get(row.outcome)
        if main:
            yield from _listed(row, "analyte", tuple(main.analytes))
        yield from _listed(row, "site", main.sites if main and main.sites else ("",))
        for flag in row.flag.split():
            if flag not in ENTERED_FLAGS:
                use = f"Use: {', '.join(ENTERED_FLAGS)}."
                message = f"'{flag}' is not a flag that can be entered. {use}"
                yield problem_at(row, "flag", "E105", message, row.flag)
    for judged in tables.risk_of_bias:
        yield from _listed(judged, "outcome", ("", *outcomes))
    for grade in tables.grade:
        yield from _listed(grade, "synthesis", tuple(item.id for item in config.syntheses))
        for domain in DOMAINS:
            if getattr(grade, domain) in CONCERNS and not getattr(grade, f"{domain}_reason"):
                message = "A concern about the certainty needs a reason. Enter it."
                yield problem_at(grade, f"{domain}_reason", "E105", message)
    for study in tables.studies:
        if study.include == "no" and not study.exclude_reason:
            message = "A study that is not included needs a reason. Enter it."
            yield problem_at(study, "exclude_reason", "E105", message)


def _cell_of_claim(claim: Claim, config: Config) -> Iterator[Problem]:
    """Yield names of a claim that config.yaml does not declare; an empty cell stands for any."""
    yield from _listed(claim, "outcome", (*config.outcomes, *config.secondary_outcomes))
    main = config.outcomes.get(claim.outcome)
    if main or claim.outcome in config.secondary_outcomes:
        yield from _listed(claim, "analyte", ("", *main.analytes) if main else ("",))
        yield from _listed(claim, "site", ("", *main.sites) if main else ("",))
    windows = ("", "during", *config.windows) if claim.phase == "acute" else ("",)
    yield from _listed(claim, "window", windows)


def _expectation(claim: Claim) -> Iterator[Problem]:
    """Yield what `larger_than` lacks, and what no other expectation may have."""
    if claim.expectation != "larger_than":
        if claim.than:
            message = "`than` belongs to larger_than. Empty it, or correct the expectation."
            yield problem_at(claim, "than", "E105", message, claim.than)
        return
    if not claim.exercise_type:
        message = "larger_than compares two exercise types. Enter the one that is larger."
        yield problem_at(claim, "exercise_type", "E105", message)
    if claim.than in ("", claim.exercise_type):
        message = "larger_than compares two exercise types. Enter the other one."
        yield problem_at(claim, "than", "E105", message, claim.than)
    if claim.arms:
        message = "Exercise types are compared over all their arms. Leave arms empty."
        yield problem_at(claim, "arms", "E105", message, claim.arms)


def _arms_of_claim(
    claim: Claim, tables: Tables, unread: frozenset[tuple[str, str]]
) -> Iterator[Problem]:
    known = {(arm.study_id, arm.arm_id) for arm in tables.arms if arm.role == "exercise"}
    for key in claim.arm_keys:
        if key not in known and not _unread(key[0], unread):
            name, names = "/".join(key), ["/".join(one) for one in sorted(known)]
            message = (
                f"'{name}' is no exercise arm of arms.csv. {suggestion(name, names)}"
                "Write study_id/arm_id, with spaces between arms."
            )
            yield problem_at(claim, "arms", "E104", message, claim.arms)


def _listed(row: Row, column: str, allowed: tuple[str, ...]) -> Iterator[Problem]:
    value = getattr(row, column)
    if value not in allowed:
        use = f"Use: {', '.join(name or '(empty)' for name in allowed)}."
        message = f"'{value}' is not allowed for {column}. {suggestion(value, allowed)}{use}"
        yield problem_at(row, column, "E105", message, value)


def _arms(tables: Tables, config: Config, unread: frozenset[tuple[str, str]]) -> Iterator[Problem]:
    arms = {(arm.study_id, arm.arm_id): arm for arm in tables.arms}
    for arm in tables.arms:
        if arm.phase == "acute" and arm.weeks is not None:
            message = "phase 'acute' is a single bout. Leave weeks empty, or correct the phase."
            yield problem_at(arm, "weeks", "E303", message, arm.weeks)
        if arm.role == "exercise" or arm.modality:
            yield from _listed(arm, "modality", tuple(config.modalities))
        if arm.role == "exercise":
            yield from _exercise_type(arm, config)
        if arm.comparator and ("arms", arm.study_id) not in unread:
            yield from _comparator(arm, arms.get((arm.study_id, arm.comparator)))


def _exercise_type(arm: Arm, config: Config) -> Iterator[Problem]:
    if not arm.exercise_type and config.modalities.get(arm.modality, "") is None:
        message = (
            f"Modality '{arm.modality}' has no exercise type in config.yaml. Enter the type here, "
            "with the reason in type_reason."
        )
        yield problem_at(arm, "exercise_type", "E105", message)
    if arm.exercise_type and not arm.type_reason:
        message = "An exercise_type needs a reason. Enter why it overrides that of config.yaml."
        yield problem_at(arm, "type_reason", "E105", message)


def _comparator(arm: Arm, comparator: Arm | None) -> Iterator[Problem]:
    if comparator is None:
        message = (
            f"The comparator '{arm.comparator}' is not an arm of study '{arm.study_id}'. "
            "Enter an arm_id of the same study, or leave the cell empty."
        )
        yield problem_at(arm, "comparator", "E301", message, arm.comparator)
    elif arm.role == "control":
        message = (
            "A control arm has no comparator: the exercise arm names it. Leave the cell empty."
        )
        yield problem_at(arm, "comparator", "E301", message, arm.comparator)
    elif comparator.role == "exercise" and arm.comparator_kind != "active":
        message = (
            f"The comparator '{arm.comparator}' is itself an exercise arm. "
            "Then comparator_kind must be 'active'."
        )
        yield problem_at(arm, "comparator", "E301", message, arm.comparator)
    elif arm.comparator_kind in ("", "none"):
        message = (
            "An arm with a comparator needs the kind of comparator. "
            "Use: usual, attention, low_dose, active, not_stated."
        )
        yield problem_at(arm, "comparator_kind", "E105", message, arm.comparator_kind)


def _baselines(tables: Tables) -> Iterator[Problem]:
    """Yield levels in arms without comparator that lack the baseline to compare them with."""
    alone = {(arm.study_id, arm.arm_id) for arm in tables.arms
             if arm.role == "exercise" and not arm.comparator}  # fmt: skip
    levels = [row for row in tables.measurements if row.kind == "level"]
    base = {(row.study_id, row.arm_id, row.outcome, row.analyte, row.site, row.report)
            for row in levels if row.timepoint == "baseline"}  # fmt: skip
    reported: set[tuple[str, ...]] = set()
    for row in levels:
        key = (row.study_id, row.arm_id, row.outcome, row.analyte, row.site, row.report)
        if key[:2] in alone and row.timepoint != "baseline" and key not in base | reported:
            reported.add(key)
            message = (
                f"The baseline is missing for arm '{row.arm_id}', analyte '{row.analyte}'. "
                "Add a row with timepoint 'baseline', or enter the change."
            )
            yield problem_at(row, "timepoint", "E302", message, row.timepoint)


def _judgements(tables: Tables) -> Iterator[Problem]:
    for row in tables.risk_of_bias:
        if row.domain not in ROB_DOMAINS[row.tool]:
            domains = ", ".join(ROB_DOMAINS[row.tool])
            message = f"'{row.domain}' is not a domain of {row.tool}. Use: {domains}."
            yield problem_at(row, "domain", "E501", message, row.domain)
            continue
        overall = row.tool == "nhlbi_prepost" and row.domain == "overall"
        levels = NHLBI_OVERALL if overall else ROB_LEVELS[row.tool]
        if row.judgement not in levels:
            message = f"'{row.judgement}' is not a level of {row.tool}. Use: {', '.join(levels)}."
            yield problem_at(row, "judgement", "E501", message, row.judgement)
