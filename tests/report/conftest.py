"""The shipped review as the report reads it, without figures and sensitivity analyses."""

import pytest
from builders import ROOT, checked, derived_of
from osteometa.directions.entries import secondary_entries
from osteometa.directions.p_values import direction_sets, p_combinations
from osteometa.figures.catalogue import TITLES
from osteometa.records.figures import FigureRow
from osteometa.report.findings import Findings, Review
from osteometa.report.included_studies import included_studies, included_table
from osteometa.synthesis.claims import Results, claim_rows
from osteometa.synthesis.pools import pooled_rows, weighted
from osteometa.synthesis.sets import covariances_in, split, summary_rows
from osteometa.synthesis.subgroup_tests import subgroup_tests, type_contrasts
from osteometa.wording.syntheses import window_words


@pytest.fixture(scope="session")
def shipped():
    outcome, derived = checked(ROOT), derived_of(ROOT)
    tables, config = outcome.tables, outcome.config
    sets = split(derived.effects, derived.entries, config)
    made = {name: _pools(name, found[0], derived, config) for name, found in sets.items()}
    pooled = {name: one["pooled"] for name, one in made.items() if sets[name][0]}
    rows = summary_rows(config, pooled, sets)
    findings = [
        Findings(
            synthesis=synthesis, outcome=config.outcomes[synthesis.outcome],
            when=", ".join(window_words(synthesis.window, config.windows)), row=row,
            directions=tuple(sets[synthesis.id][1]), **made[synthesis.id],
        )
        for synthesis, row in zip(config.syntheses, rows, strict=True)
    ]  # fmt: skip
    results = Results(
        entries=[*derived.entries, *secondary_entries(tables, config)], pooled=pooled,
        contrasts={name: made[name]["contrasts"] for name in pooled},
        effects={name: sets[name][0] for name in pooled},
    )  # fmt: skip
    return Review(
        root=ROOT, config=config, tables=tables, findings=tuple(findings),
        figures=tuple(
            FigureRow(figure=name, title=title, pages=0, alt="", reason="not drawn")
            for name, title in TITLES.items()
        ),
        claims=tuple(claim_rows(tables.claims, results, config)), reported=derived.reported,
        direction_sets=tuple(direction_sets(derived.entries, config)),
        p_combinations=tuple(p_combinations(derived.entries, tables, config)), ledger=(),
        missing=(), agreement=(), warnings=(),
    )  # fmt: skip


def _pools(name, effects, derived, config):
    links = covariances_in(effects, derived.covariances)
    return {
        "effects": tuple(weighted(effects, config, links)),
        "covariances": tuple(links),
        "pooled": tuple(pooled_rows(name, effects, config, links)),
        "tests": tuple(subgroup_tests(name, effects, config, links)),
        "contrasts": tuple(type_contrasts(effects, config, links)),
    }


@pytest.fixture(scope="session")
def included(shipped):
    return included_studies(shipped.tables, shipped.reported, shipped.config)


@pytest.fixture(scope="session")
def included_page(shipped, included):
    return included_table(included, shipped.config)
