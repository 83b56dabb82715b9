# Results -> figures: one job for all figures of a synthesis, one for those of the whole review.


NOT_DRAWN = {"covariance.csv", "permutation.csv", "companions.csv"}


def result_files(wildcards):
    """Results of one synthesis that its figures show, behind the split."""
    checkpoints.split.get()
    drawn = [f for f in (*SET_FILES, *EXPLORED) if f not in NOT_DRAWN]
    return [f"results/{wildcards.synthesis}/{f}" for f in drawn]


rule figures:
    message:
        "Draw the figures of {wildcards.synthesis}."
    input:
        results=result_files,
        code=code("figures.py"),
    output:
        report(
            expand("results/{{synthesis}}/{name}.svg", name=NAMES),
            caption="../report/figures.rst",
            category="Syntheses",
            subcategory="{synthesis}",
        ),
        expand("results/{{synthesis}}/{name}.{format}", name=NAMES, format=BESIDE_SVG),
        "results/{synthesis}/figures.csv",
        directory("results/{synthesis}/figure_pages"),
    params:
        settings=lambda wildcards: forest_settings(config_read, wildcards.synthesis),
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
            expand("results/{name}.svg", name=list(TITLES)),
            caption="../report/overview.rst",
            category="The whole review",
        ),
        expand("results/{name}.{format}", name=list(TITLES), format=BESIDE_SVG),
        "results/figures.csv",
        directory("results/figure_pages"),
    params:
        choices=choices("outcomes", "directions", "windows", "figures", "syntheses"),
    script:
        "../scripts/overview.py"
