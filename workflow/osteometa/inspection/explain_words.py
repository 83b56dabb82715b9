"""An explanation in words: one sentence first, then the way from the cells to the pool."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from osteometa.comparisons.summaries import Cell
from osteometa.effects.basis import Estimate
from osteometa.inspection.explain import Explained, Explainer, OnMeasure, StudyExplained
from osteometa.inspection.pools import PooledSet
from osteometa.numerics.distributions import t_quantile
from osteometa.pooling.results import Estimated
from osteometa.records.effects import Effect
from osteometa.records.groups import grouped
from osteometa.records.pools import PooledRow, SynthesisRow
from osteometa.records.sensitivity import StepRow
from osteometa.synthesis.sets import synthesis_row
from osteometa.wording.measure_format import Estimate as NumberWithInterval
from osteometa.wording.measure_format import MeasureFormat, estimate_of
from osteometa.wording.numbers import joined, studies
from osteometa.wording.syntheses import setting_words
from osteometa.wording.vocabulary import Block, Flag, Phase, SynthesisStatus


def study_text(found: StudyExplained, explainer: Explainer, *, whole: bool = True) -> str:
    """Return the explanation of a study, or of one of its effects.

    Of a study with several comparisons, unless it is to be `whole`, a line for each effect.
    """
    lines = [headline(found, explainer)]
    if not whole and len(found.comparisons) > 1:
        return "\n".join([*lines, *_list(found, explainer)]) + "\n"
    for one in found.comparisons:
        lines += ["", *_comparison(one, explainer)]
    for effect in found.combined:
        what = f"{effect.arm_label}, {effect.timepoint}"
        lines += ["", f"Combined into one effect, their mean: {what}"]
        lines += [f"  {line}" for line in _effect_lines(effect, explainer)]
    if found.other_rows:
        lines += ["", "Rows in no comparison"]
        lines += [f"  {row.table}.csv row {row.row}: {row.reason}" for row in found.other_rows]
    return "\n".join(lines) + "\n"


def _list(found: StudyExplained, explainer: Explainer) -> Iterator[str]:
    """Yield a line for each effect, and for each comparison without one, by outcome."""
    outcomes: dict[str, list[str]] = {}
    for one in found.comparisons:
        comparison, lines = one.comparison, outcomes.setdefault(one.key.outcome, [])
        effects = [measure.effect for measure in one.measures if measure.effect]
        lines += [_line(effect, one, explainer) for effect in effects]
        if not effects:
            when = comparison.timepoint.replace("_", " ")
            place = f"{_place(one, explainer)}, {when}, {comparison.arm.label}"
            lines.append(f"  {place}: no effect; {why_not(one)}")
    for effect in found.combined:
        outcomes.setdefault(effect.outcome, []).append(_line(effect, None, explainer))
    for outcome, lines in outcomes.items():
        yield from ("", outcome, *lines)
    if found.other_rows:
        yield from ("", f"Rows in no comparison: {len(found.other_rows)}")
    yield from ("", "One of them with its methods, formula and cells: osteometa explain EFFECT. "
                "All: --all.")  # fmt: skip


def _line(effect: Effect, one: Explained | None, explainer: Explainer) -> str:
    scale = scale_of(effect, explainer)
    half = t_quantile(0.975, None) * math.sqrt(effect.vi)
    number = scale.in_text(NumberWithInterval(effect.yi, effect.yi - half, effect.yi + half))
    found = explainer.pools_of(effect)
    fate = effect.reason or (why_not(one) if one else "") or effect.block.words
    if effect.pooled and found is not None:
        weighted = next(e for e in found.effects if e.effect_id == effect.effect_id)
        weight = f"pooled in {found.synthesis}, weight {weighted.weight or 0:.1f} %"
        fate = f"the one study in {found.synthesis}" if _alone(effect, found) else weight
    elif found is None:
        fate = "in no planned analysis"
    return f"  {effect.effect_id}: {number}, {'+'.join(effect.provenance)}; {fate}"


def _alone(effect: Effect, found: PooledSet) -> bool:
    """Return whether no other study has a pooled effect on this measure in a planned analysis."""
    same = (e.study_id for e in found.effects if e.pooled and e.measure == effect.measure)
    return set(same) == {effect.study_id}


def headline(found: StudyExplained, explainer: Explainer) -> str:
    """Return in one sentence where a study is pooled, and of all else why not."""
    name = f"{found.label} ({found.study_id})"
    if found.excluded:
        return f"{name} is not included: {found.excluded}."
    if not found.comparisons and not found.combined:
        return f"{name} is not pooled: no comparison on an outcome that is pooled."
    pooled = {one.synthesis: None for one in found.comparisons if one.pooled}
    pooled |= {p: None for e in found.combined if e.pooled and (p := explainer.planned(e))}
    why: dict[str, list[str]] = {}
    arms = {one.comparison.arm.arm_id for one in found.comparisons}
    for one in found.comparisons:
        if not one.pooled and one.synthesis not in pooled:
            places = why.setdefault(why_not(one), [])
            arm = f" ({one.comparison.arm.label})" if len(arms) > 1 else ""
            place = f"{_place(one, explainer)}{arm}"
            places += [place] if place not in places else []
    out = "; ".join(f"{joined(places)}: {reason}" for reason, places in why.items())
    if not pooled:
        return f"{name} is not pooled: {out}."
    alone = [one for one in pooled if len(explainer.pooled_studies(one)) == 1]
    several = [one for one in pooled if one not in alone]
    parts = [f"pooled in {', '.join(several)}"] if several else []
    parts += [f"alone in {', '.join(alone)}"] if alone else []
    count = f"{name} is {' and '.join(parts)}."
    return f"{count} Not pooled: {out}." if out else count


def why_not(one: Explained, *, alternatives: int = 1) -> str:
    """Return everything for which a comparison is in no pool of its primary measure.

    Of missing cells that many sets are named, the smallest first.
    """
    reasons = []
    if not one.synthesis:
        near = grouped(one.near, lambda pair: pair[1])
        only = "; ".join(f"{at}: {joined([name for name, _ in own])}" for at, own in near.items())
        more = f" (different only in its {only})" if only else ""
        if one.key.phase == Phase.ACUTE and not one.key.window:
            more = ", because `time_h` (hours after the bout) is empty"
        reasons.append(f"belongs to no planned analysis{more}")
    primary = next(iter(one.measures), None)
    reasons += [one.not_tried] if one.not_tried else []
    reasons += primary.causes if primary else []
    if primary and primary.effect is None:
        also = "also " if reasons else ""
        sets = one.needs[:alternatives]
        needs = " or ".join(f"({need})" if len(sets) > 1 else need for need in sets)
        on = ""
        if any(found.effect for found in one.measures):
            on = f"for {primary.measure}, the primary measure, "
        reasons.append(
            f"{on}it would {also}need {needs}" if needs else f"{on}no derivation method can be used"
        )
    return "; ".join(reasons)


def _place(one: Explained, explainer: Explainer) -> str:
    comparison = one.comparison
    analyte = explainer.config.analyte(comparison.outcome, comparison.analyte)
    label = analyte.label if analyte else comparison.analyte
    parts = [f"{label} {comparison.outcome}", comparison.site.replace("_", " "), one.key.window]
    return " ".join(filter(None, parts))


def _comparison(one: Explained, explainer: Explainer) -> Iterator[str]:
    comparison = one.comparison
    control = comparison.control.label if comparison.control else "its own baseline"
    more = " ".join(filter(None, (comparison.report, comparison.population)))
    when = comparison.timepoint.replace("_", " ") + (f" ({more})" if more else "")
    yield f"{_place(one, explainer)}, {when}: {comparison.arm.label} compared with {control}"
    yield f"  {setting_words(one.key.phase, one.key.design_class)}; " + (
        f"analysis {one.synthesis}" if one.synthesis else "in no planned analysis"
    )
    if one.entry is not None:
        counted = one.entry.counted and not one.entry.direction.unknown
        more = ", counted in the sign test" if counted else ""
        yield f"  direction: {one.entry.direction.words}{more}"
    if not one.pooled and (why := why_not(one, alternatives=3)):
        yield f"  not pooled: {why}"
    for found in one.measures:
        yield f"  {found.measure}"
        yield from _measure(found, explainer)


def _measure(found: OnMeasure, explainer: Explainer) -> Iterator[str]:
    for tried in found.tried:
        attempt = tried.attempt
        if attempt.estimate is None:
            reason = attempt.reason.removeprefix(f"{attempt.method}: ")
            lacks = f"; it would need {tried.lacks}" if tried.lacks else ""
            yield f"    {attempt.method} ({attempt.method.words}) not used: {reason}{lacks}"
            continue
        yield from _estimate(attempt.estimate)
        if found.effect is not None and not math.isclose(found.effect.vi, attempt.estimate.vi):
            yield "      the variance changes with the set, by shared_control or smd_variance"
    if found.effect is not None:
        yield from (f"    {line}" for line in _effect_lines(found.effect, explainer))
        yield from (f"      not pooled: {cause}" for cause in found.causes)


def _estimate(estimate: Estimate) -> Iterator[str]:
    codes = "+".join(dict.fromkeys((estimate.method, *estimate.codes)))
    yield f"    {estimate.method} ({estimate.method.words}) used, {codes}"
    yield from (f"      {line}" for line in estimate.worked.texts())
    used = estimate.correlation
    if used is not None:
        sources = " and ".join(source.words for source in used.sources)
        yield f"      correlation r = {used.r:.3g} ({sources})"
    yield from (f"      flag {flag}: {Flag(flag).words}" for flag in sorted(estimate.flags))
    yield from (f"      {line}" for line in cell_lines(estimate.cells))


def cell_lines(cells: Sequence[Cell]) -> Iterator[str]:
    """Yield each raw row with the cells that were taken, and its source."""
    rows = grouped(cells, lambda cell: (cell.row.table, cell.row.row))
    for (table, number), taken in sorted(rows.items()):
        columns = {cell.column: None for cell in taken}
        row = taken[0].row
        values = ((name, getattr(row, name)) for name in columns)
        shown = ", ".join(f"{name} {getattr(value, 'text', value)}" for name, value in values)
        what = (getattr(row, name, "") for name in ("arm_id", "timepoint", "kind", "statistic"))
        source = getattr(row, "source", "")
        place = ", ".join(filter(None, what))
        yield f"{table}.csv row {number} ({place}): {shown}" + (f"; {source}" if source else "")


def _effect_lines(effect: Effect, explainer: Explainer) -> Iterator[str]:
    yield f"effect {effect.effect_id}: yi = {effect.yi:.6g}, vi = {effect.vi:.6g}"
    found = explainer.pools_of(effect)
    if found is None:
        return
    scale = scale_of(effect, explainer)
    row = found.row(effect.measure)
    pool = _pool_words(row, scale) if row else "no pool"
    if effect.pooled:
        weighted = next(e for e in found.effects if e.effect_id == effect.effect_id)
        alone = _alone(effect, found)
        weight = f"pooled, weight {weighted.weight or 0:.1f} %"
        yield f"  {'the one study' if alone else weight}: {pool}"
        if effect.measure == found.measure and not alone:
            yield f"  {_without(found.without_study(effect.study_id), scale)}"
    elif effect.block != Block.REDUCED:
        with_it = explainer.pool_with(found, effect)
        if isinstance(with_it, Estimated):
            limits = NumberWithInterval(with_it.estimate, with_it.ci_low, with_it.ci_high)
            numbers = f"{scale.in_text(limits)}, {studies(with_it.k)}"
            yield f"  with it the pool would be {numbers}; it is {pool}"


def scale_of(effect: Effect, explainer: Explainer) -> MeasureFormat:
    """Return how effects of an outcome on a measure are written."""
    return explainer.config.outcomes[effect.outcome].scale(effect.measure, effect.unit)


def _pool_words(row: PooledRow, scale: MeasureFormat) -> str:
    estimate = estimate_of(row)
    if estimate is None:
        return row.note or "not estimable"
    text = f"{scale.in_text(estimate)}, {studies(row.k)}"
    return text if row.tau2 is None else f"{text}, tau2 {row.tau2:.3g}, I2 {row.i2 or 0:.0f} %"


def _without(row: StepRow | None, scale: MeasureFormat) -> str:
    estimate = None if row is None else estimate_of(row)
    if row is None or estimate is None:
        return "without this study fewer than two studies are left"
    return f"without this study {scale.in_text(estimate)}, {studies(row.k)}"


def status_of(found: PooledSet, explainer: Explainer) -> SynthesisRow:
    """Return the status of a planned analysis."""
    planned = next(one for one in explainer.config.syntheses if one.id == found.synthesis)
    outcome = explainer.config.outcomes[planned.outcome]
    return synthesis_row(planned, outcome, found.pooled, found.effects, found.directions)


def synthesis_text(name: str, explainer: Explainer) -> str:
    """Return the explanation of a planned analysis: its estimate, what is in and what is out."""
    found = explainer.sets([name])[name]
    status = status_of(found, explainer)
    primary = [effect for effect in found.effects if effect.measure == found.measure]
    row = found.row()
    if status.status == SynthesisStatus.POOLED and row is not None:
        head = (
            f"{name} is pooled: {found.measure} {_pool_words(row, scale_of(primary[0], explainer))}"
        )
    else:
        head = f"{name} is not pooled: {status.reason}"
    lines = [f"{head}."]
    inside = [effect for effect in primary if effect.pooled]
    pooled = {effect.study_id for effect in inside}
    if inside:
        heading = "The one study" if len(pooled) == 1 else "In the pool"
        lines += ["", f"{heading}, as {found.measure}"]
    for effect in inside:
        scale = scale_of(effect, explainer)
        numbers = scale.with_interval(effect.yi, effect.ci_low, effect.ci_high)
        more = (f", weight {effect.weight or 0:.1f} %; "
                f"{_without(found.without_study(effect.study_id), scale)}")  # fmt: skip
        lines.append(f"  {effect.label}: {numbers}{more if len(pooled) > 1 else ''}")
        lines.append(f"    {effect.effect_id}, {'+'.join(effect.provenance)}")
    out = {
        f"  {one.comparison.study.label}, {one.comparison.arm.label}, "
        f"{one.comparison.timepoint.replace('_', ' ')}: {why_not(one)}": None
        for one in explainer.inside(name)
        if not one.pooled and one.comparison.study.study_id not in pooled
    }
    lines += ["", "Not in the pool", *out] if out else []
    beside = explainer.beside(name)
    if beside:
        lines += ["", "In no planned analysis, and different from this one in one point"]
        lines += [f"  {point}: {', '.join(labels)}" for point, labels in beside.items()]
    return "\n".join(lines) + "\n"
