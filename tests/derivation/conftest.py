import pytest
from builders import SHARED, checked, derived_of


@pytest.fixture(scope="module")
def made():
    return derived_of(SHARED), checked(SHARED)


@pytest.fixture(scope="module")
def effects(made):
    return {effect.effect_id: effect for effect in made[0].effects}
