"""The variance form AV: known only when all effects of a set are."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace

from osteometa.effects.formulas import average_adjusted, g_term
from osteometa.records.effects import Effect
from osteometa.records.sets import SetKey, set_key


def averaged(effects: Sequence[Effect], own_terms: Collection[str]) -> list[Effect]:
    """Return effects whose SMD variances hold the average effect of their set, not their own.

    Its average is that of the effects which the set pools, weighted by participants.

    Parameters
    ----------
    effects : sequence of Effect
    own_terms : collection of str
        `effect_id` of those whose variance has the form u + g^2/(2N). Any other stays as it is:
        that of a reported SMD's interval, of SMDH, of gT - gC, and of effects combined into one.
    """
    sets: dict[SetKey, list[tuple[int, float, int]]] = defaultdict(list)
    for i, effect in enumerate(effects):
        if effect.measure == "SMD" and effect.n_total is not None and effect.effect_id in own_terms:
            sets[set_key(effect)].append((i, effect.yi, effect.n_total))
    result = list(effects)
    for members in sets.values():
        pooled = [(yi, n) for i, yi, n in members if effects[i].pooled]
        if not pooled:
            continue
        mean = sum(yi * n for yi, n in pooled) / sum(n for _, n in pooled)
        for i, yi, n in members:
            (vi,) = average_adjusted([effects[i].vi - g_term(yi, n)], [mean], [n])
            result[i] = replace(effects[i], vi=vi, z=yi / math.sqrt(vi))
    return result
