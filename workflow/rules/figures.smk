# Results -> figures: one job for all figures of a synthesis, one for those of the whole review.

KINDS = [
    "forest", "forest_smd", "forest_rom", "forest_md", "funnel", "baujat", "influence_plot",
    "leave_one_out_plot", "cumulative_plot", "gosh_plot", "specification_curve", "bubble",
    "sensitivity_plot",
]  # fmt: skip
OVERVIEW = [
    "summary_forest", "evidence_map", "directions", "harvest", "albatross_plot", "prisma",
    "risk_of_bias_rob2", "risk_of_bias_robins_i", "risk_of_bias_nhlbi_prepost",
]  # fmt: skip


NOT_DRAWN = {"covariance.csv", "permutation.csv", "companions.csv"}


def result_files(wildcards):
    """Results of one synthesis that its figures show, behind the split."""
    checkpoints.split.get()
    drawn = [f for f in (*SET_FILES, *EXPLORED) if f not in NOT_DRAWN]
    return [f"results/{wildcards.synthesis}/{f}" for f in drawn]


def synthesis_choices(wildcards):
    """What the figures of a synthesis depend on of config.yaml."""
    return forest_settings(config_read, wildcards.synthesis)


rule figures:
    message:
        "Draw the figures of {wildcards.synthesis}."
    input:
        results=result_files,
        code=code("figures.py"),
    output:
        report(
            expand("results/{{synthesis}}/{kind}.svg", kind=KINDS),
            caption="../report/figures.rst",
            category="Syntheses",
            subcategory="{synthesis}",
        ),
        expand("results/{{synthesis}}/{kind}.{format}", kind=KINDS, format=["pdf", "png", "csv"]),
        "results/{synthesis}/figures.csv",
        directory("results/{synthesis}/figure_pages"),
    params:
        settings=synthesis_choices,
    script:
        "../scripts/figures.py"


def overview_inputs(wildcards):
    """What the figures of the whole review are drawn from."""
    checkpoints.split.get()
    return [
        *behind_split(lambda s: [f"results/{s}/{f}" for f in ("pooled.csv", "effects.csv")]),
        "results/direction_sets.csv",
        "results/albatross.csv",
        "data/processed/directions.csv",
        *expand("data/processed/checked/{table}.csv", table=TABLES),
    ]


rule overview:
    message:
        "Draw the figures of the whole review."
    input:
        results=overview_inputs,
        code=code("overview.py"),
    output:
        report(
            expand("results/{kind}.svg", kind=OVERVIEW),
            caption="../report/overview.rst",
            category="The whole review",
        ),
        expand("results/{kind}.{format}", kind=OVERVIEW, format=["pdf", "png", "csv"]),
        "results/figures.csv",
        directory("results/figure_pages"),
    params:
        choices=choices("outcomes", "directions", "syntheses"),
    script:
        "../scripts/overview.py"
