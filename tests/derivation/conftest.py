import pytest
from builders import SHARED
from osteometa.derivation.derive import derive
from osteometa.validation.review import check_review


@pytest.fixture(scope="module")
def made():
    outcome = check_review(SHARED)
    assert outcome.passed
    return derive(outcome.tables, outcome.config), outcome


@pytest.fixture(scope="module")
def effects(made):
    return {effect.effect_id: effect for effect in made[0].effects}
