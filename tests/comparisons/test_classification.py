"""Exercise types, by modality and by the intensity stated in the paper."""

import pytest
from builders import CONFIG
from osteometa.comparisons.classification import exercise_type, type_by_paper
from osteometa.extraction.tables import Arm


@pytest.mark.parametrize(
    ("cells", "by_modality", "by_paper"),
    [
        ({"modality": "running"}, "aerobic", "aerobic"),
        ({"modality": "resistance"}, "resistance", "resistance"),
        ({"modality": "resistance", "intensity": "high"}, "resistance", "high_intensity"),
        ({"modality": "running", "exercise_type": "other"}, "other", "other"),
        ({"modality": "running", "exercise_type": "other", "intensity": "high"}, "other",
         "high_intensity"),
        ({"modality": ""}, "other", "other"),
    ],
)  # fmt: skip
def test_the_type_of_an_arm(cells, by_modality, by_paper):
    arm = Arm(study_id="t", arm_id="e", label="e", role="exercise", phase="training", **cells)
    assert exercise_type(arm, CONFIG) == by_modality
    assert type_by_paper(arm, CONFIG) == by_paper
