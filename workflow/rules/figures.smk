# Results -> figures: one job for all figures of a synthesis, one for those of the whole review.


NOT_DRAWN = {"covariance.csv", "permutation.csv", "alternative_models.csv"}


def result_files(wildcards):
    """Results of one synthesis that its figures show, behind the split."""
    checkpoints.split.get()
    drawn = [f for f in (*SET_FILES, *EXPLORED) if f not in NOT_DRAWN]
    return [f"results/{wildcards.synthesis}/{f}" for f in drawn]


def captioned(folder, titles, **more):
    """The figures of a folder in Snakemake's report: title, own sentence, further pages."""
    first = {
        f"{folder}/{name}.svg": {
            "caption": f"../report/{name}.rst",
            "labels": {"figure": title, "page": "1"},
        }
        for name, title in titles.items()
    }
    pages = {
        "caption": "../report/figure_pages.rst",
        "patterns": ["{figure}_{page}.svg"],
        "labels": lambda found: {"figure": titles[found.figure], "page": found.page},
    }
    shown = [*first.items(), (directory(f"{folder}/figure_pages"), pages)]
    return [report(path, **said, **more) for path, said in shown]


rule figures:
    message:
        "Draw the figures of {wildcards.synthesis}."
    input:
        results=result_files,
        code=code("figures.py"),
    output:
        captioned(
            "results/{synthesis}", HEADS, category="Syntheses", subcategory="{synthesis}"
        ),
        expand("results/{{synthesis}}/{name}.{format}", name=NAMES, format=BESIDE_SVG),
        "results/{synthesis}/figures.csv",
    params:
        root=ROOT,
        settings=lambda wildcards: asdict(FigureSettings.of(config_read, wildcards.synthesis)),
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
        captioned("results", TITLES, category="The whole review"),
        expand("results/{name}.{format}", name=list(TITLES), format=BESIDE_SVG),
        "results/figures.csv",
    params:
        root=ROOT,
        choices=choices(
            "outcomes", "directions", "windows", "figures", "pooling", "small_k", "syntheses"
        ),
    script:
        "../scripts/overview.py"
