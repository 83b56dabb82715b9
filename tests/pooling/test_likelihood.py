"""The search for the highest maximum of the likelihood: what it costs, and where it may start."""

import numpy as np
import pytest
from osteometa.pooling import likelihood
from osteometa.pooling.batch import intercept_batch, slope_moments

SPREADS = (0.3, 1.0, 2.0, 4.0)
"""Powers of ten between which the variances of a set lie."""


def sets(k, spread, m=500):
    """Return m sets of k effects: alike or very unlike, and one in two with an effect far off."""
    rng = np.random.default_rng(k)
    v = 10 ** rng.uniform(-spread, spread, (k, m))
    y = rng.normal(size=(k, m)) * 10 ** rng.uniform(-spread, spread, m)
    y[0, ::2] *= 10
    return intercept_batch(y, v)


def found(batch, restricted):
    return likelihood.highest_maximum(batch, restricted, slope_moments(batch, 0.0))


@pytest.mark.parametrize("restricted", [True, False], ids=["REML", "ML"])
def test_what_a_search_costs(restricted, monkeypatch):
    """Evaluations of the score per set: at six points, at few halvings, and in one or two steps.

    The speed of the batch kernel rests on them: a start that is off costs a step more.
    """
    score, roots = likelihood._score, likelihood._roots
    evaluated, steps = [], []

    def counted(batch, *rest):
        evaluated.append(batch.y.shape[1])
        return score(batch, *rest)

    def counted_roots(batch, lowest, at, restricted):
        before = sum(evaluated)
        answer = roots(batch, lowest, at, restricted)
        steps.append((sum(evaluated) - before) / len(at.model))
        return answer

    monkeypatch.setattr(likelihood, "_score", counted)
    monkeypatch.setattr(likelihood, "_roots", counted_roots)
    batches = [sets(k, spread) for k in (2, 3, 5, 15) for spread in SPREADS]
    for batch in batches:
        found(batch, restricted)
    assert sum(evaluated) / sum(len(batch.n) for batch in batches) < 8.1
    assert np.mean(steps) < 1.16 and max(steps) < 1.3
    assert len(evaluated) < 16 * 14  # calls: finished sets are left out, the rest goes together


@pytest.mark.parametrize("place", [1e-9, 0.3, 1 - 1e-9])
@pytest.mark.parametrize("spread", SPREADS)
def test_the_root_is_the_same_wherever_the_search_starts_in_its_bracket(place, spread, monkeypatch):
    """From the ends some steps of Newton's method lead out of the bracket and are cut short."""
    for restricted in (True, False):
        for k in (2, 3, 15):
            batch = sets(k, spread)
            wanted = found(batch, restricted)
            with monkeypatch.context() as patched:
                patched.setattr(likelihood, "_between", lambda a, b, *_: a + place * (b - a))
                got = found(batch, restricted)
            assert np.max(np.abs(got - wanted) / (np.min(batch.v, axis=0) + wanted)) < 1e-11
            assert np.count_nonzero(wanted) > 100
