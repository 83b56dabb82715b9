"""Last pass: the covariances of effects that share participants."""

import math
from collections.abc import Iterable
from itertools import combinations

from osteometa.derivation.assess import Assessed
from osteometa.records.directions import set_key
from osteometa.records.effects import Covariance
from osteometa.records.groups import grouped
from osteometa.wording.vocabulary import Block, Design


def link(found: Iterable[Assessed], rho: float, *, split: bool = False) -> list[Covariance]:
    """Return the covariances of all effects of one set and measure that share participants.

    With `split` a shared control is divided and links nothing; the same participants still do.
    """
    own = [item for item in found if item.effect.block != Block.REDUCED]
    own.sort(key=lambda item: item.effect.effect_id)
    groups = grouped(own, lambda i: (i.effect.study_id, *set_key(i.effect), i.effect.measure))
    rows = []
    for group in groups.values():
        for one, other in combinations(group, 2):
            covariance = covariance_of(one, other, rho)
            if covariance and not (split and not same_participants(one, other)):
                ids = {"effect_id_1": one.effect.effect_id, "effect_id_2": other.effect.effect_id}
                rows.append(Covariance(**ids, covariance=covariance))
    return sorted(rows, key=lambda row: (row.effect_id_1, row.effect_id_2))


def same_participants(one: Assessed, other: Assessed) -> bool:
    """Return whether two arms of one study are the same participants in two conditions.

    So in a crossover, and where two arms together have more participants than were enrolled.
    """
    if one.effect.design == Design.CROSSOVER_RCT:
        return True
    n_one, n_other = one.effect.n_exercise, other.effect.n_exercise
    if one.enrolled is None or n_one is None or n_other is None:
        return False
    return n_one + n_other > one.enrolled


def share_participants(one: Assessed, other: Assessed) -> bool:
    """Return whether two effects of one measure are based on some of the same participants."""
    if one.effect.study_id != other.effect.study_id:
        return False
    control = one.effect.comparator
    return same_participants(one, other) or (bool(control) and control == other.effect.comparator)


def covariance_of(
    one: Assessed, other: Assessed, rho: float, *, of_one_type: bool = False
) -> float:
    """Return the covariance of the sampling errors of two effects of one study and measure.

    Where nothing reported gives the control's variance, or the two compare different scores, it is
    rho sqrt(v1 v2); so it is for tests of two arms of one exercise type.
    """
    if one.parts:
        return sum(covariance_of(p, other, rho) for p in one.parts) / len(one.parts)
    if other.parts:
        return sum(covariance_of(one, p, rho) for p in other.parts) / len(other.parts)
    if not share_participants(one, other):
        return 0.0
    most = math.sqrt(one.effect.vi * other.effect.vi)
    found = None
    if not (of_one_type and one.compared == "test") and not same_participants(one, other):
        found = _by_shared_control(one, other)
    # No correlation of 1 or more: values too different to share one control's variance.
    return found if found is not None and abs(found) < most else rho * most


def _by_shared_control(one: Assessed, other: Assessed) -> float | None:
    share, other_share = one.control_share, other.control_share
    if share is None or other_share is None or one.compared != other.compared:
        return None
    found = shared_control(share, other_share)
    a, b = one.effect, other.effect
    if a.measure != "SMD":
        return found
    if a.n_exercise is None or b.n_exercise is None or a.n_control is None or b.n_control is None:
        return None
    everyone = a.n_exercise + b.n_exercise + max(a.n_control, b.n_control)
    return found + a.yi * b.yi / (2 * everyone)


def shared_control(one: float, other: float) -> float:
    """Return the covariance that a shared control makes, from its share in each variance."""
    return math.sqrt(one * other)
