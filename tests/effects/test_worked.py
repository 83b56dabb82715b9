"""Formulas as they are shown: with the numbers shown they give the effect and its variance.

`conftest.py` asserts the same of every effect that any test here derives.
"""

import pytest
from builders import CONFIG, ROOT, TESTS
from osteometa.derivation.derive import derive
from osteometa.effects.worked import Worked
from osteometa.validation.review import check_review

pytestmark = pytest.mark.slow

REVIEWS = [ROOT, *sorted(path.parent for path in TESTS.glob("reviews/*/config.yaml"))]
FORMS = [
    {"smd_variance": "LS2"}, {"smd_variance": "UB"}, {"smd_post": "separate"},
    {"smd_pre_post": "becker"}, {"rom_correction": True},
]  # fmt: skip


@pytest.mark.parametrize("folder", REVIEWS, ids=[path.name for path in REVIEWS])
def test_equations_give_every_effect_of_a_review(folder, worked):
    outcome = check_review(folder)
    derive(outcome.tables, outcome.config)
    assert worked or folder.name == "seed"  # directions only


@pytest.mark.parametrize("form", FORMS, ids=[next(iter(form.values())) for form in FORMS])
def test_equations_give_every_effect_by_another_form(form, worked):
    effects = CONFIG.effects.model_copy(update=form)
    derive(check_review(ROOT).tables, CONFIG.model_copy(update={"effects": effects}))
    assert len(worked) > 100


def test_equations_are_shown_with_their_numbers():
    worked = Worked({"mT": 1.5, "mC": -0.25}, ("yi = mT - mC", "vi = yi**2"))
    assert list(worked.lines()) == [
        ("yi = mT - mC", "1.5 - (-0.25)", 1.75), ("vi = yi**2", "1.75**2", 3.0625),
    ]  # fmt: skip
