# Results -> figures: one job for all figures of a synthesis, one for those of the whole review.


def captioned(folder, titles, **more):
    """A folder of figures; in Snakemake's report each has its title and caption."""

    def labels(wildcards):
        name, page = page_of(wildcards.figure)
        return {"figure": titles[name], "page": page}

    return report(
        directory(folder),
        patterns=["{figure}.svg"],
        caption="../report/figure.rst",
        labels=labels,
        **more,
    )


rule fonts:
    priority: WAITED_FOR
    message:
        "Cut the fonts of the figures to the letters that most of them use."
    output:
        "data/processed/fonts.css",
    params:
        root=ROOT,
        code=code("fonts.py"),
    script:
        "../scripts/fonts.py"


NOT_DRAWN = {"covariance.csv", "subgroups.csv", "permutation.csv", "alternative_models.csv"}
DRAWN = [file for file in [*POOLED, *SENSITIVITY] if file not in NOT_DRAWN]


rule figures:
    message:
        "Draw the figures of {wildcards.synthesis}."
    input:
        expand("results/{{synthesis}}/{file}", file=DRAWN),
        fonts=rules.fonts.output[0],
    output:
        captioned(
            "results/{synthesis}/figures",
            KINDS,
            category="Syntheses",
            subcategory="{synthesis}",
        ),
    params:
        root=ROOT,
        code=code("figures.py"),
        captions=CAPTIONS,
        settings=lambda wildcards: asdict(FigureSettings.of(config_read, wildcards.synthesis)),
    script:
        "../scripts/figures.py"


def overview_inputs(wildcards):
    """What the figures of the whole review are drawn from."""
    return of_syntheses(["pooled.csv", "effects.csv"])


rule overview:
    priority: LONG
    message:
        "Draw the figures of the whole review."
    input:
        overview_inputs,
        extracted("directions.csv", "reported.csv", *CHECKED),
        "results/syntheses.csv",
        "results/direction_sets.csv",
        "results/albatross.csv",
        fonts=rules.fonts.output[0],
    output:
        captioned("results/figures", TITLES, category="The whole review"),
    params:
        root=ROOT,
        code=code("overview.py"),
        captions=CAPTIONS,
        choices=choices(
            "outcomes", "directions", "windows", "figures", "pooling", "small_k", "syntheses"
        ),
    script:
        "../scripts/overview.py"
