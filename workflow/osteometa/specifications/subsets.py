"""All subsets of the studies as specifications: each study is in or out."""

from __future__ import annotations

import numpy as np

from osteometa.pooling.kernel import pool_many
from osteometa.sensitivity.influence import PooledEffects
from osteometa.specifications.choices import Part, Registered, Sample
from osteometa.specifications.fit import Fits, fits_of

MOST_STUDIES = 24
"""Studies up to which all subsets are taken."""


def subsets_of(effects: PooledEffects, measure: str) -> Registered:
    """Return the choices of which studies are left out, with the primary model."""
    labels = dict(zip(effects.studies, effects.labels, strict=True))
    names = [f"without {label}" for label in labels.values()]
    return Registered(
        measure=measure, derivation={}, rules=dict.fromkeys(names, ()),
        designs=("randomised",), inconsistent_data=("excluded",),
        models=((effects.method, effects.ci),),
    )  # fmt: skip


def fit_subsets(part: Part, effects: PooledEffects, sample: Sample) -> Fits:
    """Return the pools of a part, of one effect per study as in `gosh`."""
    one = part.registered
    y, v = effects.one_per_study()
    ((_, numbers),) = part.blocks()
    numbers = sample.of(one, 0, numbers)
    inside = (numbers[:, None] >> np.arange(len(y) - 1, -1, -1)) & 1 == 0
    studies = np.sum(inside, axis=1)
    enough = studies >= 2
    numbers, inside, studies = numbers[enough], inside[enough], studies[enough]
    found = pool_many(y, v, inside, method=effects.method, ci="wald")
    place = np.arange(len(numbers))
    return fits_of(one, one.first + numbers, place, studies, lambda method, used: found.take(used))
