"""A first mapping of another person's table, guessed from its heads and shown for correction."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace

from osteometa.exchange.foreign import is_of_covidence
from osteometa.exchange.mapping import GROUPS, SIDES, Field, fields_of_group
from osteometa.extraction.tables import Study
from osteometa.extraction.units import UNITS

Meaning = tuple[str, str]
"""A group of the mapping, and a field of it."""
ARM = {
    "exercise": ("1", "e", "t", "exp", "experimental", "exercise", "intervention", "treatment",
                 "treated", "trt", "group a"),
    "control": ("2", "c", "con", "ctrl", "control", "comparison", "comparator", "placebo",
                "group b"),
}  # fmt: skip
WHEN = {
    "before": ("pre", "before", "baseline"),
    "change": ("change", "diff", "difference", "delta"),
    "after": ("post", "after", "final", "end", "followup", "follow up"),
}
STATISTIC = {
    "mean": ("mean", "m", "x"),
    "sd": ("sd", "s", "std dev", "stdev", "standard deviation"),
    "se": ("se", "sem", "std err", "standard error"),
    "n": ("n", "total", "sample size", "participants"),
}
READY = {
    "md": ("md",),
    "smd": ("smd", "std diff in means", "hedges s g", "g"),
    "rom": ("rom", "ratio", "ratio of means", "response ratio"),
    "log_rom": ("lnrr", "lrr", "ln rr", "log rr", "log response ratio", "lnrom", "log rom"),
}
"""Heads of ready effects that name the statistic."""
WHOLE = {
    "arms.arm": ("arm", "group", "arm name", "study arm", "treatment arm", "group name", "trt",
                 "intervention", "intervention name", "treatment", "condition"),
    "study.label": ("study", "author", "authors", "trial", "study name", "study id", "label",
                    "study or subgroup", "studlab", "study identifier"),
    "study.year": ("year", "study year", "publication year"),
    "finding.outcome": ("outcome", "outcome name", "measure", "analysis name"),
    "finding.timepoint": ("timepoint", "time point", "time"),
    "finding.time_wk": ("week", "time wk"), "finding.time_h": ("time h",),
    "finding.unit": ("unit", "units"),
    "finding.site": ("site",), "finding.analyte": ("analyte",), "finding.assay": ("assay",),
    "exercise.label": ("intervention", "treatment", "treatment 1", "exercise arm"),
    "control.label": ("comparator", "control", "treatment 2", "control arm"),
    "contrast.value": ("yi", "effect", *(name for names in READY.values() for name in names),
                       "difference in means", "giv mean", "es"),
    "contrast.variance": ("vi", "variance", "var"),
    "contrast.se": ("sei", "se", "std err", "standard error", "giv se"),
    "contrast.ci_low": ("ci low", "ci lower", "ci lb", "lower", "lower limit", "ll"),
    "contrast.ci_high": ("ci high", "ci upper", "ci ub", "upper", "upper limit", "ul"),
    "contrast.p": ("p", "p value", "pval"), "contrast.n_total": ("n", "ni", "n total"),
}  # fmt: skip
"""Heads of R's metafor, RevMan, Covidence and CMA among them, and of tables made by hand."""
OF_EFFECT = {("contrast", name) for name in ("value", "se", "variance", "ci_low", "ci_high", "p")}
"""What belongs to one ready effect."""
ASKED = {
    "study": ("design",),
    "exercise": ("modality", "phase", "comparator_kind", "weeks"),
    "control": ("phase",),
    "finding": ("outcome", "analyte", "site", "timepoint", "unit", "source"),
    "contrast": ("statistic", "score", "adjusted", "standardiser", "note"),
}
"""What few tables hold: asked of the reviewer where no column holds it."""
ONE_LETTER = {unit for unit in UNITS if len(unit) == 1 and unit != "%"}
SIGNS = str.maketrans("¹²³⁻−µμ", "123--uu")
SPELLED = {unit.lower() if "/" in unit else unit: unit for unit in UNITS if unit not in ONE_LETTER}
"""Units as heads write them; one letter, as in `Size (N)` and `Mean (s)`, is none."""


def guess(heads: tuple[str, ...]) -> tuple[Field, ...]:
    """Return the fields that the heads suggest, and those that the reviewer must state."""
    covidence = is_of_covidence(heads)
    if covidence:  # these columns describe participants
        other = ("baseline ", "intervention ")
        heads = tuple(head for head in heads if not head.lower().startswith(other))
    # A head that occurs again, such as the SE of another effect, names no second arm.
    again = {head for head in heads if (first := _first_of(head)) != head and first in heads}
    meanings = {head: list(_meanings(head)) for head in heads if head not in again}
    _leave_out_other_effects(meanings)
    for head, meaning in _of_covidence(meanings) if covidence else _of_named_arm(meanings):
        meanings[head].append(meaning)
    known = {meaning for some in meanings.values() for meaning in some}
    unused = _unused(known, of_arms=covidence)
    found: dict[tuple[str, str], Field] = {}
    for head, some in meanings.items():
        for group, name in some:
            if (group, name) not in found and group not in unused:
                found[group, name] = Field(group=group, name=name, kind="column", text=head)
                break
    if any(name == "mean" for _, name in found):
        found = _with_sizes(found)
    elif ("contrast", "value") in found or ("contrast", "p") in found:
        for side, name in (("exercise", "n_exercise"), ("control", "n_control")):
            if size := found.pop((f"{side}_after", "n"), None):
                found["contrast", name] = replace(size, group="contrast", name=name)
        # A spread without a mean is that of another effect, such as the second `Std Err` of a row.
        found = {key: field for key, field in found.items() if "_" not in key[0]}
    else:
        found = {key: field for key, field in found.items() if key[0] != "contrast"}
    for key, field in found.items() if covidence else ():
        if f"{field.text} (2)" in again:  # which of them, the reviewer knows
            found[key] = replace(field, text="")
    for field in (*_units_in_heads(found), *_stated(found)):
        found.setdefault((field.group, field.name), field)
    order = [(group, name) for group in GROUPS for name in fields_of_group(group)]
    return tuple(sorted(found.values(), key=lambda field: order.index((field.group, field.name))))


def _unused(meanings: set[Meaning], *, of_arms: bool) -> set[str]:
    """Return the groups and fields that a table of its kind does not have.

    A difference of two means beside the means is no effect of its own. One mean in each row, with a
    name of the arm and no ready effect, is a table with one row per arm.
    """
    arms = {"arms", "arm_before", "arm_after", "arm_change"}
    means = {group.partition("_")[0] for group, name in meanings if name == "mean"}
    if means & {*SIDES} and not of_arms:
        return arms | {"contrast"}
    named = "arm" in means and ("arms", "arm") in meanings
    if of_arms or (named and ("contrast", "value") not in meanings):
        return {"contrast", *SIDES, *(f"{side}_{when}" for side in SIDES for when in WHEN)}
    return arms


def _with_sizes(found: dict[tuple[str, str], Field]) -> dict[tuple[str, str], Field]:
    """Give the one n of an arm, and a spread without a time, to the means of the arm."""
    sized = dict(found)
    for side in (*SIDES, "arm"):
        of_side = {key: field for key, field in found.items() if key[0].startswith(f"{side}_")}
        means = {group for group, name in of_side if name == "mean"}
        for statistic in ("n", "sd", "se"):
            fields = [field for (_, name), field in of_side.items() if name == statistic]
            timed = any(_taken(f" {_words(field.text)} ", WHEN)[0] for field in fields)
            if len(fields) == 1 and means and (statistic == "n" or (len(means) == 1 and not timed)):
                del sized[fields[0].group, statistic]
                sized |= {(g, statistic): replace(fields[0], group=g) for g in means}
    return sized


def _words(head: str) -> str:
    """Return a head without its unit, as small letters and numbers with one space between."""
    words = re.findall(r"[a-z]+|[0-9]+", _without_unit(head)[0].lower().replace("95%", ""))
    return re.sub(r"(?<=[0-9]) i$", "", " ".join(words))


def _without_unit(head: str) -> tuple[str, str]:
    """Return a head without the unit in its brackets, and the unit; empty if it has none."""
    for bracket, text in re.findall(r"([(\[]([^()\[\]]+)[)\]])", head):
        spelled = re.sub(" */ *", "/", text.strip().translate(SIGNS).replace("^", ""))
        spelled = re.sub(r"[ ·.]?([a-zA-Z]+)-([123])$", r"/\1\2", spelled).replace("L1", "L")
        unit = SPELLED.get(spelled) or SPELLED.get(spelled.lower() if "/" in spelled else "")
        if unit:
            return head.replace(bracket, " "), unit
    return head, ""


RESULT = {"mean", "sd", "se", "ci_low", "ci_high", "value"}
"""Statistics that are in the unit of the outcome."""


def _units_in_heads(found: Mapping[Meaning, Field]) -> Iterator[Field]:
    """Yield the units that heads of results name, and a question where two of a group differ.

    A unit of all groups is that of the finding, or if changes are in percent that of the levels.
    Changes in percent are percent changes where all levels have another unit, else a question.
    """
    units: dict[str, set[str]] = defaultdict(set)
    for (group, name), field in found.items():
        if name in RESULT and field.text and ("_" in group or group == "contrast"):
            units[group].add(_without_unit(field.text)[1])
    named = {group: next(iter(some - {""}), "") if len(some - {""}) < 2 else None
             for group, some in units.items()}  # fmt: skip
    common = ""
    if ("finding", "unit") not in found and all(named.values()):
        common = min(named.values(), key=lambda unit: unit == "%", default="") or ""
        yield Field(group="finding", name="unit", kind="value", text=common)
    levels = {unit for group, unit in named.items() if not group.endswith(("_change", "contrast"))}
    for group, unit in named.items():
        if unit != "" and unit != common:
            yield Field(group=group, name="unit", kind="value", text=unit or "")
        if unit == "%" and group.endswith("_change"):
            certain = levels and not levels & {"", "%", None}
            text = "pct_change" if certain else ""
            yield Field(group=group, name="kind", kind="value", text=text)


def _meanings(head: str) -> Iterator[tuple[str, str]]:
    """Yield what a head may mean, the likeliest first."""
    words, unit = _words(head), _without_unit(head)[1]
    for path, names in WHOLE.items():
        group, _, name = path.partition(".")
        if words in names and (group == "contrast" or not unit):
            yield group, name
    if not unit and words.replace(" ", "_") in Study.columns() and words != "study id":
        yield "study", words.replace(" ", "_")
    statistic, when, arm, rest = _parts(head)
    if statistic and not rest.removeprefix("of"):
        yield f"{arm or 'arm'}_{when or 'after'}", statistic


def _parts(head: str) -> tuple[str, str, str, str]:
    """Return the statistic, the time and the arm that a head names, and the words that are left."""
    statistic, rest = _taken(f" {_words(head)} ", STATISTIC)
    when, rest = _taken(rest, WHEN)
    arm, rest = _taken(rest, ARM)
    if when == "change" and not statistic and not re.match(r"t *\(", head):  # a test's t
        statistic = "mean"
    return statistic, when, arm, " ".join(rest.split())


def _first_of(head: str) -> str:
    """Return a head without the number that it has where it occurs again."""
    return re.sub(r" \(\d+\)$", "", head)


def _of_named_arm(meanings: dict[str, list[Meaning]]) -> Iterator[tuple[str, Meaning]]:
    """Yield the meaning of heads that name the one other group beside the control.

    Comprehensive Meta-Analysis writes `Walking Mean` beside `Control Mean`. The group needs all
    statistics that the control has, and no column may be of the exercise arm by its own words.
    """
    known = {meaning for some in meanings.values() for meaning in some}
    control = {(group, name) for group, name in known if group.startswith("control_")}
    named: dict[str, list[tuple[str, Meaning]]] = defaultdict(list)
    for head, some in meanings.items():
        statistic, when, arm, name = _parts(head)
        if not some and statistic and name and not arm:
            named[name].append((head, (f"exercise_{when or 'after'}", statistic)))
    of_exercise = {(group.replace("control", "exercise"), name) for group, name in control}
    whole = [found for found in named.values() if of_exercise <= {one for _, one in found}]
    if control and not of_exercise & known and len(whole) == 1:
        yield from whole[0]


def _of_covidence(meanings: dict[str, list[Meaning]]) -> Iterator[tuple[str, Meaning]]:
    """Yield the meaning of heads that name an outcome and a time before the statistic.

    `Spine BMD 12 months Mean`, with `Spine BMD Baseline Mean` for the levels before. The first
    outcome and time that has a mean is taken: a mapping holds one.
    """
    found: dict[str, list[tuple[str, Meaning]]] = defaultdict(list)
    for head in (head for head, some in meanings.items() if not some):
        words = f" {_words(head)} "
        ending = [(phrase, statistic) for statistic, phrases in STATISTIC.items()
                  for phrase in phrases if words.endswith(f" {phrase} ")]  # fmt: skip
        if ending:
            phrase, statistic = max(ending, key=lambda one: len(one[0]))
            when, rest = _taken(words.removesuffix(f"{phrase} "), WHEN)
            outcome = " ".join(rest.split())
            found[outcome].append((head, (f"arm_{when or 'after'}", statistic)))

    def has_mean(outcome: str, *groups: str) -> bool:
        return any(name == "mean" and group in groups for _, (group, name) in found[outcome])

    later = [outcome for outcome in found if has_mean(outcome, "arm_after", "arm_change")]
    before = [outcome for outcome in found if has_mean(outcome, "arm_before")]
    for chosen in [*later, *before][:1]:
        for outcome, some in found.items():
            if f"{chosen} ".startswith(f"{outcome} "):
                yield from (one for one in some if outcome == chosen or one[1][0] == "arm_before")


def _leave_out_other_effects(meanings: dict[str, list[Meaning]]) -> None:
    """Of several ready effects keep one, with the SE, variance, limits and p that follow it.

    It is the first with an SE or variance in the next column, or else the first.
    """
    heads = list(meanings)
    places = [n for n, head in enumerate(heads) if ("contrast", "value") in meanings[head]]
    if len(places) < 2:
        return
    spreads = {("contrast", "se"), ("contrast", "variance")}
    parts = [heads[start:end] for start, end in zip(places, [*places[1:], None], strict=True)]
    beside = (part for part in parts if part[1:] and spreads & {*meanings[part[1]]})
    own = next(beside, parts[0])
    for head in heads:
        if head not in own:
            meanings[head] = [one for one in meanings[head] if one not in OF_EFFECT]


def _taken(words: str, names: dict[str, tuple[str, ...]]) -> tuple[str, str]:
    """Return the meaning of one word or phrase, the longest, and the words that are left."""
    phrases = [(phrase, name) for name, known in names.items() for phrase in known]
    there = [item for item in phrases if f" {item[0]} " in words]
    phrase, name = max(there, key=lambda item: len(item[0]), default=("", ""))
    return name, words.replace(f" {phrase} ", "  ", 1) if name else words


def _stated(found: dict[tuple[str, str], Field]) -> Iterator[Field]:
    """Yield the fields that no column gives: names of the arms, and questions."""
    groups = {group for group, _ in found}
    ready, arms, ratio = "contrast" in groups, "arms" in groups, False
    if not ready and not any("_" in group for group in groups):
        empty = ("arm_after",) if arms else ("exercise_after", "control_after")
        groups |= {*empty}
        for group in empty:
            for name in ("n", "mean", "sd"):
                yield Field(group=group, name=name)
    for group in {group for group, name in found if name == "mean"}:
        yield Field(group=group, name="n")
    two = ready or arms or any(group.startswith("control") for group in groups)
    yield Field(group="study", name="label")
    yield Field(group="study", name="include", kind="value", text="yes")
    if arms:
        yield Field(group="arms", name="control", kind="value")
    for arm in () if arms else SIDES if two else SIDES[:1]:
        yield Field(group=arm, name="arm_id", kind="value", text=arm)
        yield Field(group=arm, name="label", kind="value", text=arm)
    if ready:
        yield Field(group="contrast", name="compares", kind="value", text="between")
        value = found.get(("contrast", "value"))
        words = _words(value.text) if value is not None else ""
        ratio = words in (*READY["rom"], *READY["log_rom"])
        for statistic in (name for name, heads in READY.items() if words in heads):
            yield Field(group="contrast", name="statistic", kind="value", text=statistic)
        if ("contrast", "p") in found:
            yield Field(group="contrast", name="p_operator", kind="value")
    for group, names in ASKED.items():
        if group in groups | {"study", "exercise", "finding"} or (group == "control" and two):
            for name in names:
                of_smd = name in ("standardiser", "note")
                if not (name == "comparator_kind" and not two) and not (of_smd and ratio):
                    yield Field(group=group, name=name, kind="value")
