"""One choice changed at a time: the rows of `sensitivity.csv`.

Every change has a row, in a fixed order; where it does not apply, the row gives the reason.
"""

from collections.abc import Callable, Iterable, Iterator

from osteometa.pooling.results import Estimated, Pooled
from osteometa.protocol.dependencies import other_forms
from osteometa.records.effects import Choice, Effect
from osteometa.records.sensitivity import SensitivityRow
from osteometa.synthesis.effect_sets import EffectSet, SynthesisData
from osteometa.synthesis.pools import pool_set, primary_fits
from osteometa.wording.choices import ESTIMATORS, INTERVALS, alternative_words
from osteometa.wording.vocabulary import Block, Flag, Provenance

BY_PAPER = Choice("type_by", "paper")
PRIMARY_CHOICE = "this is the primary choice"
ONE_STUDY = "one study: its own estimate and interval"
QUANTILES = {Provenance.Q5, Provenance.Q3, Provenance.R3}
CODES: dict[str, tuple[set[Flag | Provenance], str]] = {
    "COMPOSITE": ({Provenance.COMPOSITE}, "without means of several effects of one study"),
    "quantiles": ({*QUANTILES}, "without means and SDs derived from medians and ranges"),
    "imputed": (
        {*QUANTILES, Flag.R_IMPUTED, Flag.BASELINE_MEAN, Flag.FIGURE},
        "without assumed correlations, assumed baseline means, values read off figures or medians",
    ),
}
"""Flags and codes of derivation whose effects are left out, by the name of the row."""
ADDED = (Block.NON_RANDOMISED, Block.ACTIVE, Block.LISTED, Block.PART, Block.BORROWED)
"""Blocks that are added to the pool, one at a time."""
METHOD_WORDS = {
    **{name: f"τ² by {words}" for name, words in ESTIMATORS.items()},
    "EE": f"{ESTIMATORS['EE']}, {INTERVALS['wald']}",
}


def sensitivity_rows(data: SynthesisData) -> list[SensitivityRow]:
    """Return all rows of one synthesis."""
    writer = _Writer(data)
    rows = list(writer.changed("primary", "the primary pool", data.primary_set(), same=True))
    for part in (
        _disputed, _without, _with, _types_by_paper, _correlations, _other_derivations, _models,
        _measures, _one_out,
    ):  # fmt: skip
        rows += part(data, writer)
    words = "p from a sign-flip permutation test"
    reason = "it gives a p value but no estimate; see permutation.csv"
    return [*rows, writer.none("sign flip", words, reason)]


class _Writer:
    """Writes rows against the primary pools."""

    def __init__(self, data: SynthesisData):
        self.data = data
        measures = data.measures
        self._primary = {m: primary_fits(data.primary_set(m), data.config) for m in measures}

    def changed(
        self, row: str, change: str, pooled: EffectSet, *, measure: str = "", same: bool = False,
        types: bool = False,
    ) -> Iterator[SensitivityRow]:  # fmt: skip
        """Yield the row of a changed set, and those of the types that the change moves.

        With `same` a set that is not changed still has numbers; with `types` every type has a row,
        not only those of two studies whose effects change.
        """
        measure = measure or self.data.measure
        before = self.data.primary_set(measure)
        if not same and pooled == before:
            yield self.none(row, change, "no pooled effect changes", measure=measure)
            return
        fits = primary_fits(pooled, self.data.config)
        usual = self._primary[measure]
        yield self.fitted(row, change, fits["overall"], pooled.k, measure=measure)
        groups = [g for g in dict.fromkeys([*usual, *fits]) if g != "overall"]
        for group in groups if len(groups) > 1 and not same else []:
            own = pooled.of_group(group)
            moved = own.effects != before.of_group(group).effects and own.k >= 2
            if types or moved:
                fit = fits.get(group) or pool_set(own, self.data.config)
                yield self.fitted(row, change, fit, own.k, group=group, measure=measure)

    def fitted(
        self, row: str, change: str, fit: Pooled, k: int, *, group: str = "overall",
        measure: str = "",
    ) -> SensitivityRow:  # fmt: skip
        """Return the row of a fit; delta, sign and null against the primary pool of its group."""
        measure = measure or self.data.measure
        if not isinstance(fit, Estimated):
            gone = "no study is pooled" if row == "primary" else "no study is left"
            return SensitivityRow(
                row=row, group=group, measure=measure, change=change, k=k, status="not_estimable",
                reason=fit.note if fit.status == "failed" else gone,
            )  # fmt: skip
        across = row.startswith("measure=")
        usual = self._primary[self.data.measure if across else measure].get(group)
        known = usual if isinstance(usual, Estimated) else None
        return SensitivityRow(
            row=row, group=group, measure=measure, change=change, k=k, estimate=fit.estimate,
            ci_low=fit.ci_low, ci_high=fit.ci_high,
            delta=_difference(fit.estimate, known.estimate) if known and not across else None,
            sign_changed=fit.estimate * known.estimate < 0 if known else None,
            null_crossed=fit.includes_null != known.includes_null if known else None,
            reason=ONE_STUDY if k == 1 else "",
        )  # fmt: skip

    def none(self, row: str, change: str, reason: str, *, measure: str = "") -> SensitivityRow:
        """Return the row of a change that does not apply."""
        return SensitivityRow(
            row=row, measure=measure or self.data.measure, change=change, status="not_applicable",
            reason=reason,
        )  # fmt: skip


def _difference(estimate: float, usual: float) -> float:
    """Return a difference, 0 where only the order of a sum made it."""
    delta = estimate - usual
    return delta if abs(delta) > 1e-12 * abs(usual) else 0.0


def _disputed(data: SynthesisData, writer: _Writer) -> Iterator[SensitivityRow]:
    """Each resolution of inconsistent data added singly, then the most cautious of all."""
    for resolution in data.resolutions:
        method = resolution.alternative.value
        name = f"with {resolution.study_id} {method}"
        derived = ", ".join(code.words for code in resolution.provenance)
        change = f"with {resolution.label}, derived from {derived}"
        pooled = _added(data, resolution.measure, [resolution])
        yield from writer.changed(name, change, pooled, measure=resolution.measure)
    name = "with all disputed"
    change = "with all inconsistently reported effects, each resolved to the smallest |z|"
    weakest = data.most_cautious(data.measure)
    if weakest:
        yield from writer.changed(name, change, _added(data, data.measure, weakest))
    else:
        yield writer.none(name, change, "no inconsistently reported effect on this measure")


def _added(data: SynthesisData, measure: str, effects: Iterable[Effect]) -> EffectSet:
    pooled = data.primary_set(measure)
    return EffectSet((*pooled.effects, *effects), pooled.covariances)


def _kept(data: SynthesisData, keep: Callable[[Effect], bool]) -> EffectSet:
    pooled = data.primary_set()
    return EffectSet(tuple(e for e in pooled.effects if keep(e)), pooled.covariances)


def _without(data: SynthesisData, writer: _Writer) -> Iterator[SensitivityRow]:
    """Leave out what has a flag, a code, a cointervention, or a high risk of bias."""
    for flag in (flag for flag in Flag if flag.analysis):
        pooled = _kept(data, lambda e, flag=flag: flag not in e.flags)
        yield from _dropped(data, writer, f"without {flag}", flag.analysis, pooled, "has the flag")
    for name, (codes, words) in CODES.items():
        pooled = _kept(data, lambda e, codes=codes: not codes & {*e.flags, *e.provenance})
        row = f"without {name}"
        yield from _dropped(data, writer, row, words, pooled, "is derived in this way")
    pooled = _kept(data, lambda e: not e.cointervention)
    words = "without comparisons with a cointervention in both arms"
    yield from _dropped(data, writer, "without cointervention", words, pooled, "has one")
    yield from _risk_of_bias(data, writer)
    words = "randomised trials only"
    pooled = _kept(data, lambda e: e.design in ("rct", "crossover_rct"))
    if pooled.effects or not data.primary_set().effects:
        yield from _dropped(data, writer, "randomised only", words, pooled, "has another design")
    else:
        yield writer.none("randomised only", words, "no change within one arm is randomised")


def _dropped(
    data: SynthesisData, writer: _Writer, row: str, words: str, pooled: EffectSet, missing: str
) -> Iterator[SensitivityRow]:
    if pooled.effects == data.primary_set().effects:
        yield writer.none(row, words, f"no pooled effect {missing}")
    else:
        yield from writer.changed(row, words, pooled)


def _risk_of_bias(data: SynthesisData, writer: _Writer) -> Iterator[SensitivityRow]:
    excluded, row = data.config.sensitivity.rob_exclude, "without high risk of bias"
    words = f"without studies at risk of bias judged {', '.join(excluded)}"
    if not any(e.risk_of_bias for e in data.primary_set().effects):
        yield writer.none(row, words, "the risk of bias of these studies has not been assessed")
        return
    pooled = _kept(data, lambda e: e.risk_of_bias not in excluded)
    yield from _dropped(data, writer, row, words, pooled, "has such a judgement")


def _with(data: SynthesisData, writer: _Writer) -> Iterator[SensitivityRow]:
    """Add what is drawn apart: other designs, active comparators, comparisons listed only."""
    for block in ADDED:
        added = [
            e
            for e in data.effects
            if e.block == block
            and e.measure == data.measure
            # A controlled trial's change within one arm belongs to no before-after pool.
            and not (e.design_class == "within_arm" and e.design in ("rct", "nrct"))
        ]
        if added:
            pooled = _added(data, data.measure, added)
            yield from writer.changed(f"with {block}", block.analysis, pooled)
        else:
            yield writer.none(f"with {block}", block.analysis, "no such effect in this set")


def _types_by_paper(data: SynthesisData, writer: _Writer) -> Iterator[SensitivityRow]:
    words = "exercise types by the intensity stated in the paper"
    if data.config.derivation.type_by == "paper":
        yield writer.none("type_by=paper", words, PRIMARY_CHOICE)
    elif any(v.alternative == BY_PAPER and v.pooled for v in data.alternatives):
        pooled = data.set_under(BY_PAPER)
        yield from writer.changed("type_by=paper", words, pooled, types=True)
    else:
        yield writer.none("type_by=paper", words, "no study of the pool changes its type")


def _correlations(data: SynthesisData, writer: _Writer) -> Iterator[SensitivityRow]:
    assumed = any("RIMP" in e.flags for e in data.primary_set().effects)
    outcome = data.config.outcomes[data.outcome]
    for value in outcome.r_grid:
        choice = Choice("r", f"{value:g}")
        row, words = str(choice), alternative_words(str(choice))
        if value == outcome.r:
            yield writer.none(row, words, PRIMARY_CHOICE)
        elif any(v.alternative == choice and v.measure == data.measure for v in data.alternatives):
            yield from writer.changed(row, words, data.set_under(choice), same=assumed)
        elif assumed:
            yield from writer.changed(row, words, data.primary_set(), same=True)
        else:
            yield writer.none(row, words, "no pooled effect rests on an assumed r")


def _other_derivations(data: SynthesisData, writer: _Writer) -> Iterator[SensitivityRow]:
    sensitivity = data.config.sensitivity
    names = [f"baseline_mean={factor:g}" for factor in sensitivity.baseline_mean]
    names += [f"rho={value:g}" for value in sensitivity.rho]
    names += [f"training_time={value}" for value in sensitivity.training_time]
    names += ["shared_control=split"]
    names += [name for name, _ in other_forms(data.config)]
    for name in names:
        yield from writer.changed(name, alternative_words(name), data.set_under(Choice.read(name)))


def _models(data: SynthesisData, writer: _Writer) -> Iterator[SensitivityRow]:
    pooled = data.primary_set()
    tried = data.config.sensitivity
    settings = [
        (f"tau2={name}", METHOD_WORDS[name], name, "wald" if name == "EE" else "")
        for name in tried.methods
    ]
    settings += [(f"ci={name}", INTERVALS[name], "", name) for name in tried.intervals]
    own = {f"tau2={data.config.pooling.method}", f"ci={data.config.pooling.ci}"}
    for row, words, method, ci in settings:
        if pooled.k < 2:
            yield writer.none(row, words, "fewer than two studies are pooled")
        elif row in own:
            yield writer.none(row, words, PRIMARY_CHOICE)
        else:
            fit = pool_set(pooled, data.config, method=method, ci=ci)
            yield writer.fitted(row, words, fit, pooled.k)


def _measures(data: SynthesisData, writer: _Writer) -> Iterator[SensitivityRow]:
    for measure in data.measures[1:]:
        pooled = data.primary_set(measure)
        row, words = f"measure={measure}", f"effects as {measure}"
        if pooled.effects:
            fit = primary_fits(pooled, data.config)["overall"]
            yield writer.fitted(row, words, fit, pooled.k, measure=measure)
        else:
            yield writer.none(row, words, f"no study gives an effect as {measure}", measure=measure)


def _one_out(data: SynthesisData, writer: _Writer) -> Iterator[SensitivityRow]:
    """The study whose absence moves the pool most; all of them are in leave_one_out.csv."""
    pooled = data.primary_set()
    row, words = "leave one out", "without the study whose absence moves the estimate most"
    if pooled.k < 3:
        yield writer.none(row, words, "fewer than three studies are pooled")
        return
    whole = pool_set(pooled, data.config)
    fits: list[tuple[str, Estimated]] = []
    labels = {e.study_id: e.label for e in pooled.effects}
    for study in labels:
        rest = tuple(e for e in pooled.effects if e.study_id != study)
        without = pool_set(EffectSet(rest, pooled.covariances), data.config)
        fits += [(study, without)] if isinstance(without, Estimated) else []
    if not isinstance(whole, Estimated) or len(fits) < len(labels):
        yield writer.none(row, words, "the model did not converge")
        return
    estimate = whole.estimate
    study, fit = max(fits, key=lambda item: abs(item[1].estimate - estimate))
    yield writer.fitted(row, f"without {labels[study]}: of all studies this one moves the estimate "
                        "most", fit, pooled.k - 1)  # fmt: skip
