"""The legend of a page of a forest plot: words for what is drawn on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from osteometa.figures.forest.layout import MEANS, Columns
from osteometa.figures.forest.rows import ForestRow
from osteometa.figures.risk_of_bias import level_words
from osteometa.wording.vocabulary import Flag, MeansKind

N_WORDS = "N: participants in both arms, where n per arm is not reported"
N_WITHIN_WORDS = "N: participants"
NOT_COUNTED_WORDS = "not counted: left out of the sign test"
HOLLOW_WORDS = "hollow diamond: two studies"
MEAN_WORDS = {
    MeansKind.CHANGE: "Means are changes",
    MeansKind.PCT_CHANGE: "%: percent changes",
    # Values after need not give the effect beside them: many methods use more than those.
    MeansKind.AFTER: "†: final values (the effect may also use values before, or be adjusted)",
}


def legend_of(
    page: Sequence[ForestRow], columns: Columns, letters: Mapping[str, Flag], within_arm: bool
) -> list[str]:
    """Return what a page needs of a legend: only what has a column is explained."""
    means = {row.means_kind for row in page if any(columns.has(name) for name in MEANS)}
    used = {letter for row in page for letter in row.marks.split()}
    judged = "" if columns.risk_of_bias is None else level_words(row.risk_of_bias for row in page)
    lines = {
        **{words: kind in means for kind, words in MEAN_WORDS.items()},
        N_WITHIN_WORDS if within_arm else N_WORDS: any(
            row.participants is not None for row in page
        ),
        NOT_COUNTED_WORDS: any(row.counted is False for row in page),
        **{f"{letter}: {flag.words}": letter in used for letter, flag in letters.items()},
        HOLLOW_WORDS: any(row.kind == "diamond" and row.shape == "hollow" for row in page),
        f"risk of bias (RoB): {judged}": bool(judged),
    }
    return [words for words, stands in lines.items() if stands]
