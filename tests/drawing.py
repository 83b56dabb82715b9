"""Drawn figures for tests, and what is measured on them."""

import contextlib
import itertools
import random
from dataclasses import replace

import pytest
from builders import ROOT, alternatives_of, checked, derived_of
from matplotlib.patches import Patch
from matplotlib.text import Text
from osteometa.derivation.alternatives import split_alternatives
from osteometa.derivation.extract import Extraction, write_extraction
from osteometa.directions.p_values import albatross as albatross_points
from osteometa.directions.p_values import direction_sets
from osteometa.extraction.tables import RiskOfBias
from osteometa.figures import funnel, review_figures
from osteometa.figures.catalogue import TITLES
from osteometa.figures.files import drawings, files_of
from osteometa.figures.forest import draw
from osteometa.figures.forest.rows import Diamond, Forest, ForestRow, Prediction, Study
from osteometa.figures.palette import SMALL
from osteometa.figures.settings import FigureSettings
from osteometa.figures.synthesis_figures import ReasonError
from osteometa.io.csv_records import write_records
from osteometa.protocol.config import from_part
from osteometa.protocol.dependencies import pool_settings
from osteometa.records.directions import (
    AlbatrossPoint,
    DirectionSet,
    StudyDirection,
)
from osteometa.records.effects import Covariance, WeightedEffect
from osteometa.records.pools import PooledRow, SubgroupTest, TypeContrast
from osteometa.records.sensitivity import (
    RECORDS,
    FunnelPoint,
)
from osteometa.sensitivity.analyses import sensitivity_tables
from osteometa.synthesis.effect_sets import SynthesisData
from osteometa.synthesis.pools import pooled_rows, weighted
from osteometa.synthesis.sets import covariances_in, split
from osteometa.synthesis.subgroup_tests import subgroup_tests, type_contrasts
from osteometa.wording.measure_format import MeasureFormat
from osteometa.wording.vocabulary import OVERALL, Block, Direction, ExerciseType


def write_results(review, target, cap=300):
    """Write what the figures of a review are drawn from below `target`; return its config.

    The multiverse is sampled down to `cap` specifications, so that tests stay quick.
    """
    outcome, derived = checked(review), derived_of(review)
    fewer = outcome.config.multiverse.model_copy(update={"cap": cap})
    config = outcome.config.model_copy(update={"multiverse": fewer})
    extraction = Extraction(
        outcome.tables, derived, (), split(derived.effects, derived.entries, config),
        split_alternatives(alternatives_of(review), config),
    )  # fmt: skip
    write_extraction(extraction, target)
    for name, (effects, directions) in extraction.sets.items():
        if effects:
            _write_set(target / "results" / name, name, extraction, config)
            write_records(
                target / "results" / name / "directions.csv", StudyDirection, directions
            )  # fmt: skip
    entries = extraction.derived.entries
    tests = direction_sets(entries, config)
    write_records(target / "results/direction_sets.csv", DirectionSet, tests)
    points = albatross_points(entries, extraction.derived.effects, outcome.tables, config)
    write_records(target / "results/albatross.csv", AlbatrossPoint, points)
    return config


def _write_set(folder, name, extraction, config):
    effects, others = extraction.sets[name][0], extraction.alternatives[name]
    links = covariances_in(effects, extraction.derived.covariances)
    write_records(folder / "effects.csv", WeightedEffect, weighted(effects, config, links))
    write_records(folder / "covariance.csv", Covariance, links)
    write_records(folder / "pooled.csv", PooledRow, pooled_rows(name, effects, config, links))
    tests = subgroup_tests(name, effects, config, links)
    write_records(folder / "subgroup_test.csv", SubgroupTest, tests)
    contrasts = type_contrasts(effects, config, links)
    write_records(folder / "type_contrasts.csv", TypeContrast, contrasts)
    chosen = from_part(pool_settings(config, name))
    found = sensitivity_tables(
        SynthesisData(
            outcome=next(iter(chosen.outcomes)), effects=tuple(effects), covariances=tuple(links),
            alternatives=tuple(others.effects), alternative_covariances=tuple(others.covariances),
            config=chosen,
        )
    )  # fmt: skip
    for table, record in RECORDS.items():
        write_records(folder / f"{table}.csv", record, getattr(found, table))


def drawn_of(folder, config):
    """The figures of the whole review that apply, by name."""
    for name, drawn in review_figures.kinds(folder, config):
        with contextlib.suppress(ReasonError):
            yield name, drawn(TITLES[name])


REVIEWS = {
    "shipped": ROOT,
    **{folder.name: folder for folder in sorted((ROOT / "tests/reviews").iterdir())},
}
# The small review alone in `make test-fast`.
EACH_REVIEW = [
    pytest.param(name, marks=() if name == "small" else pytest.mark.slow) for name in REVIEWS
]


SETTINGS = FigureSettings(
    title="Bone mineral density, areal; lumbar spine; training, against a comparator",
    label="Bone mineral density", design_class="controlled", measure="MD", measures=("MD",),
    favours=("Favours control", "Favours exercise"), ratio_as="percent", decimals=3, pi_df="k-1",
    pi_least=5, style="standard", width=183, interval="[a, b]", formats=("svg",),
)  # fmt: skip


def made_forest(rows, letters=None, **changes):
    """A forest plot of made rows."""
    settings = replace(SETTINGS, **changes)
    return Forest(rows, letters or {}, settings.scale("g/cm2"), settings)


def encoded(pages, kind):
    """The first file of a figure of some pages."""
    return files_of(drawings(pages), kind, title="Figure")[0]


def texts_of(figure):
    """The texts of a figure and their boxes; measured once, unless the figure has changed since."""
    if figure.stale or not hasattr(figure, "measured_texts"):
        figure.draw_without_rendering()
        figure.measured_texts = [
            (text, text.get_window_extent())
            for text in figure.findobj(Text)
            if text.get_visible() and text.get_text().strip()
        ]
    return figure.measured_texts


def overlap(a, b, slack=0.15):
    """Overlap of two boxes by more than a hair (in pixels at the figure's resolution)."""
    return min(a.x1, b.x1) - max(a.x0, b.x0) > slack and min(a.y1, b.y1) - max(a.y0, b.y0) > slack


SCALE = MeasureFormat("MD", "g/cm2", "[a, b]", "percent", 3)


def forest_study(label, estimate, half, share=10.0, **more):
    """A study of made numbers; one without a share stands outside the pool."""
    scale = more.pop("scale", SCALE)
    low, high = estimate - half, estimate + half
    mean = more.pop("exercise_mean", "0.010 (0.020)")
    return Study(
        label=label, exercise_n="20", exercise_mean=mean, control_n="20",
        control_mean="0.005 (0.020)", effect=scale.with_interval(estimate, low, high),
        weight="" if share is None else f"{share:.1f}", estimate=estimate, low=low, high=high,
        share=share, **more,
    )  # fmt: skip


def forest_diamond(label, estimate, half, weight="100", shape="full", group=OVERALL):
    low, high = estimate - half, estimate + half
    return Diamond(
        group=group, label=label, shape=shape, estimate=estimate, low=low, high=high,
        effect=SCALE.with_interval(estimate, low, high), weight=weight,
    )  # fmt: skip


def pooled_marks(k, estimate, half, predicted=0.0):
    """The rows under the studies of a pool: its diamond, its prediction interval, its notes."""
    rows = [forest_diamond("All studies (k = 2)" if k == 2 else "All studies", estimate, half,
                    shape="hollow" if k == 2 else "full")]  # fmt: skip
    if predicted:
        low, high = estimate - predicted, estimate + predicted
        rows.append(Prediction(label="95 % prediction interval", low=low, high=high,
                               effect=SCALE.bracketed(low, high)))  # fmt: skip
    notes = [
        f"k = {k}; τ² = 0.000133 (0.0000329 to 0.000926); I² = 77 %; Q = 27.92, df = {k - 1}, "
        "p < 0.001",
        f"Overall effect: t({k - 1}) = 3.11, p = 0.014",
        "Model: random effects, REML, Hartung-Knapp with floor; prediction interval from t(k−1)",
    ]
    return rows + [ForestRow(kind="note", label=note) for note in notes]


def five_types():
    rows = []
    for number, kind in enumerate(ExerciseType):
        words = kind.heading
        rows.append(ForestRow(kind="heading", group=kind, label=words))
        effects = [0.004 * number + 0.002 * n for n in range(3)]
        rows += [forest_study(f"{words} {n}", e, 0.01, 100 / 15) for n, e in enumerate(effects)]
        rows.append(forest_diamond(words, effects[1], 0.009, "20.0", group=kind))
        note = (
            "k = 3; Q = 1.90, df = 2, p = 0.387; one model for all types: τ² = 0.00013, I² = 77 %"
        )
        rows.append(ForestRow(kind="note", label=note))
    return rows + pooled_marks(15, 0.01, 0.004, 0.02)


def drawn_forest(rows, letters=None, **changes):
    return draw.forest_figure(made_forest(rows, letters, **changes))


SMD_POOL = MeasureFormat("SMD", "", "[a, b]")


LONG_LABEL = "Anastasopoulou-Papadimitriou and Wieczorek-Baranowska for the collaboration 2019"


def percent_study(label, share):
    more = {"exercise_mean": "1.0 % (2.0)", "means_kind": "pct_change"}
    return forest_study(label, 0.2, 0.3, share, scale=SMD_POOL, **more)


HARD = {
    "one study": [
        forest_study("Able 2001", 0.01, 0.01, 100),
        ForestRow(kind="note", label="One study: its own interval, nothing is pooled."),
    ],
    "two studies": [
        forest_study("Able 2001", 0.01, 0.01, 50),
        forest_study("Baker 2002", 0.02, 0.01, 50),
    ],
    "two studies and their pool": [
        forest_study("Able 2001", 0.01, 0.01, 50),
        forest_study("Baker 2002", 0.02, 0.01, 50),
        *pooled_marks(2, 0.015, 0.064),
    ],
    "sixty studies": [
        *(forest_study(f"Author {n}", 0.001 * n, 0.02, 100 / 60) for n in range(60)),
        *pooled_marks(60, 0.0295, 0.005, 0.04),
    ],
    "five exercise types": five_types(),
    "only not randomised": [
        ForestRow(kind="heading", group="non_randomised", label=Block.NON_RANDOMISED.apart),
        *(forest_study(f"Author {n}", 0.01 * n, 0.01, None) for n in range(1, 4)),
    ],
    "a label of 80 characters": [
        forest_study(LONG_LABEL, 0.01, 0.01, marks="a b c"),
        forest_study("Short", 0.0, 0.01),
    ],
    "one word of 80 letters": [forest_study("Y" * 80, 0.01, 0.01)],
    "letters": [
        forest_study("Þórðardóttir Ångström Çelik", 0.01, 0.01),
        forest_study("Παπαδοπούλου 2010", 0.0, 0.01),
        forest_study("כהן 2011", 0.01, 0.01),
        forest_study("العلي 2012", 0.02, 0.01),
    ],
    "Chinese letters": [
        forest_study("王明 2015", 0.01, 0.01),
        forest_study("Wang 2016", 0.012, 0.01),
    ],
    "an interval 100 times wider": [
        forest_study("Narrow 2001", 0.01, 0.01),
        forest_study("Narrow 2002", 0.012, 0.01),
        forest_study("Narrow 2003", 0.012, 0.012),
        forest_study("Wide 2003", 0.5, 1.0, 0.01),
    ],
    "all effects equal": [forest_study(f"Same {n}", 0.01, 0.01, 25) for n in range(4)],
    "all effects nought": [forest_study(f"Nought {n}", 0.0, 0.01, 25) for n in range(4)],
    "all weight in one": [
        forest_study("Heavy", 0.01, 0.001, 99.99),
        forest_study("Light", 0.02, 0.1, 0.01),
    ],
    "tiny differences": [
        forest_study("A", 0.002, 0.001, 50),
        forest_study("B", 0.0019, 0.0012, 50),
    ],
    "negative": [forest_study("A", -30.0, 4.0, 50), forest_study("B", -28.0, 5.0, 50)],
    "means in one unit": [
        forest_study("Able 2001", 0.3, 0.2, 50, scale=SMD_POOL, unit="g/cm²"),
        forest_study(
            "Percent 2002",
            0.2,
            0.3,
            50,
            scale=SMD_POOL,
            exercise_mean="1.0 % (2.0)",
            means_kind="pct_change",
        ),
    ],
    "means in several units": [
        forest_study("Able 2001", 0.3, 0.2, 40, scale=SMD_POOL, unit="ng/mL"),
        forest_study("Baker 2002", 0.2, 0.3, 40, scale=SMD_POOL, unit="pmol/L"),
        forest_study(
            "Percent 2003",
            0.2,
            0.3,
            20,
            scale=SMD_POOL,
            exercise_mean="1.0 % (2.0)",
            means_kind="pct_change",
        ),
    ],
    "directions only": [
        ForestRow(
            kind="direction",
            label=f"Study {n}, N 1200",
            shape=shape,
            effect=shape.words,
            participants=1200,
            counted=True,
        )
        for n, shape in enumerate(Direction)
    ],
}


def assert_apart(figure, name):
    """No text overlaps another or a filled mark, leaves the page or is smaller than 7 pt."""
    found = texts_of(figure)
    assert found and len(figure.axes) == 1, name
    page = figure.bbox
    for text, box in found:
        words = f"{name}: '{text.get_text()}'"
        assert text.get_fontsize() >= SMALL, words
        assert box.x0 >= page.x0 - 0.5 and box.x1 <= page.x1 + 0.5, f"{words} leaves the page"
        assert box.y0 >= page.y0 - 0.5 and box.y1 <= page.y1 + 0.5, f"{words} leaves the page"
    plain = [(t, b) for t, b in found if t.get_gid() != "symbol"]
    for (one, a), (other, b) in itertools.combinations(plain, 2):
        assert not overlap(a, b), f"{name}: '{one.get_text()}' overlaps '{other.get_text()}'"
    for mark in figure.axes[0].get_children():
        if isinstance(mark, Patch) and (mark.get_gid() or "").split(":")[0] in MARKS:
            area = mark.get_window_extent()
            for text, box in plain:
                words = f"{name}: '{text.get_text()}' touches a {mark.get_gid()}"
                assert not overlap(area, box, 0.6), words


MARKS = ("point", "diamond", "bar", "light", "participants", "histogram", "square", "tip")


def pooled_row(**more):
    row = dict.fromkeys(PooledRow.__dataclass_fields__)
    row |= {
        "synthesis": "x", "measure": "ROM", "group": "overall", "model": "random",
        "method": "REML", "ci_method": "hksj-floor", "primary": True, "k": 12, "k_effects": 12,
        "estimate": 0.02, "se": 0.005, "ci_low": 0.01, "ci_high": 0.03, "status": "ok",
        "diamond": "full", "pi_shown": False, "note": "", "tau2_model": "separate",
    }  # fmt: skip
    row |= more
    return PooledRow(**{k: v for k, v in row.items() if k in PooledRow.__dataclass_fields__})


def made_funnel(spread=0.02, filled=3):
    rng = random.Random(3)
    points = [
        FunnelPoint(effect_id=f"e{n}", label="x", yi=rng.gauss(spread, spread),
                    se=spread * (0.2 + rng.random()), filled=n < filled, outside=False)
        for n in range(14)
    ]  # fmt: skip
    points = [replace(p, outside=abs(p.yi - spread) > 1.96 * p.se) for p in points]
    return funnel.funnel_marks(points, spread)


def made_judgements(tool):
    letter, most = {"rob2": ("d", 5), "robins_i": ("d", 7), "nhlbi_prepost": ("q", 12)}[tool]
    levels = {
        "rob2": ("low", "some", "high"),
        "robins_i": ("low", "moderate", "serious", "critical", "no_information"),
        "nhlbi_prepost": ("yes", "no", "other"),
    }[tool]
    return [
        RiskOfBias(study_id=f"s{i}", tool=tool, domain=f"{letter}{d}",
                   judgement=levels[(i * d) % len(levels)])
        for i in range(9)
        for d in range(1, most + 1)
    ]  # fmt: skip
