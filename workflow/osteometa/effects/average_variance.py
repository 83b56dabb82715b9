"""The variance form AV: known only when all effects of a set are."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from osteometa.effects.formulas import average_adjusted, g_term
from osteometa.protocol.config import Config
from osteometa.records.effects import Effect


def averaged(effects: Sequence[Effect], config: Config) -> list[Effect]:
    """Return effects whose SMD variances hold the average effect of their set, not their own.

    A set is what a synthesis asks for; its average is that of the effects it pools, weighted by
    people. A variance that is not of the form u + g^2/(2N) stays: that of a printed SMD's interval,
    of SMDH, of gT - gC, and of effects combined into one.
    """
    sets: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for i, effect in enumerate(effects):
        if effect.measure == "SMD" and _of_form(effect, config):
            place = (
                effect.outcome, effect.analyte, effect.site, effect.phase, effect.window,
                effect.design_class,
            )  # fmt: skip
            sets[place].append(i)
    result = list(effects)
    for members in sets.values():
        pooled = [effects[i] for i in members if effects[i].pooled]
        if not pooled:
            continue
        everyone = sum(effect.n_total for effect in pooled)
        mean = sum(effect.yi * effect.n_total for effect in pooled) / everyone
        for i in members:
            effect = effects[i]
            own = effect.vi - g_term(effect.yi, effect.n_total)
            (vi,) = average_adjusted([own], [mean], [effect.n_total])
            result[i] = replace(effect, vi=vi, z=effect.yi / math.sqrt(vi))
    return result


def _of_form(effect: Effect, config: Config) -> bool:
    if effect.n_total is None or "COMPOSITE" in effect.provenance:
        return False
    if effect.derivation_method == "SMDP":
        return ":ci_low" not in effect.inputs
    if effect.derivation_method == "POST":
        return config.effects.smd_post == "pooled"
    return effect.derivation_method != "PPC" or config.effects.smd_pre_post == "ppc"
