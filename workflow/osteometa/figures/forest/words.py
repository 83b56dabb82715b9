"""What only a forest plot says: the lines of its legend."""

from __future__ import annotations

from collections.abc import Sequence

N_WORDS = "N: people of the largest comparison, where n per arm is not printed"
N_WITHIN_WORDS = "N: people"
NO_VOTE_WORDS = "no vote: not counted among the directions"
HOLLOW_WORDS = "hollow diamond: two studies"


def mean_words(means: Sequence[str]) -> list[str]:
    """Return what the means on a page are, as far as such means stand on it."""
    found = [mean for mean in means if mean]
    words = {
        "Means are changes": any("%" not in mean and "†" not in mean for mean in found),
        "%: percent changes": any("%" in mean for mean in found),
        # Printed levels need not give the effect beside them: many rungs use more than those.
        "†: levels after (the effect may also use those before, or be adjusted)": any(
            "†" in mean for mean in found
        ),
    }
    return [text for text, stands in words.items() if stands]
