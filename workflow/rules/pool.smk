# Effects of each synthesis and their alternatives -> pooled results and sensitivity analyses, the
# table of syntheses, sign tests, and a comparison with independent implementations.


SET = [
    "effects",
    "covariance",
    "directions",
    "alternatives",
    "alternative_covariance",
    "subgroup_values",
]


def set_files(wildcards):
    """The files of one synthesis' set, by name."""
    if wildcards.synthesis not in estimated():
        raise WorkflowError(f"No study has an effect in {wildcards.synthesis}: it has no pool.")
    return {name: f"data/processed/sets/{wildcards.synthesis}/{name}.csv" for name in SET}


rule pool:
    priority: WAITED_FOR
    message:
        "Pool {wildcards.synthesis} and run its sensitivity analyses."
    input:
        unpack(set_files),
    output:
        expand("results/{{synthesis}}/{file}", file=SENSITIVITY),
        effects="results/{synthesis}/effects.csv",
        covariance="results/{synthesis}/covariance.csv",
        directions="results/{synthesis}/directions.csv",
        pooled="results/{synthesis}/pooled.csv",
        subgroup_test="results/{synthesis}/subgroup_test.csv",
        subgroups="results/{synthesis}/subgroups.csv",
        type_contrasts="results/{synthesis}/type_contrasts.csv",
    params:
        root=ROOT,
        code=code("pool.py"),
        settings=lambda wildcards: pool_settings(config_read, wildcards.synthesis),
    script:
        "../scripts/pool.py"


def pooled_files(wildcards):
    """Pooled results of every synthesis with an effect."""
    return of_syntheses(POOLED)


# The settings by which comparisons are classified are those of secondary outcomes' directions.
SUMMARISING = [
    "outcomes",
    "secondary_outcomes",
    "modalities",
    "comparator_kinds",
    "windows",
    "derivation",
    "directions",
    "syntheses",
]


rule summary:
    priority: WAITED_FOR
    message:
        "Summarise all syntheses, test directions, combine exact p values and answer claims."
    input:
        pooled_files,
        extracted("sets", "reported.csv", "directions.csv", "effects.csv", *CHECKED),
    output:
        reported="results/reported.csv",
        syntheses="results/syntheses.csv",
        direction_sets="results/direction_sets.csv",
        p_combination="results/p_combination.csv",
        albatross="results/albatross.csv",
        claims="results/claims.csv",
    params:
        root=ROOT,
        code=code("summary.py"),
        choices=choices(*SUMMARISING),
    script:
        "../scripts/summary.py"


rule agreement:
    priority: LONG
    message:
        "Compare with PyMARE and statsmodels."
    input:
        pooled_files,
    output:
        "results/agreement.csv",
    params:
        root=ROOT,
        code=code("agreement.py"),
        syntheses=lambda wildcards: estimated(),
    script:
        "../scripts/agreement.py"
