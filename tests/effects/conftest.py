"""Whatever effect a test derives, the equations that are shown of it must give it."""

import pytest
from osteometa.effects import hierarchy


@pytest.fixture(autouse=True)
def worked(monkeypatch):
    """Check the equations of every effect; return the effects that were checked."""
    checked = []

    def assert_worked(estimate, comparison):
        estimate = original(estimate, comparison)
        shown = {line.partition(" = ")[0]: value for line, _, value in estimate.worked.lines()}
        assert shown["yi"] == pytest.approx(estimate.yi, rel=1e-9, abs=1e-14)
        assert shown["vi"] == pytest.approx(estimate.vi, rel=1e-9)
        checked.append(estimate)
        return estimate

    original = hierarchy.with_design_effect
    monkeypatch.setattr(hierarchy, "with_design_effect", assert_worked)
    return checked
