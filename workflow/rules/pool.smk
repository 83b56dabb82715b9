# Effects of each synthesis and their alternatives -> pooled results and sensitivity analyses, the
# table of syntheses, sign tests, and a comparison with independent implementations.


checkpoint variants:
    message:
        "Derive the effects under each alternative choice of the sensitivity analyses."
    input:
        tables=checked_tables,
        code=code("variants.py"),
    output:
        directory("data/processed/variants"),
    params:
        root=ROOT,
        choices=choices("sensitivity", *DERIVING),
    script:
        "../scripts/variants.py"


def variant_file(name):
    """A file of one synthesis' variants, behind the check and both checkpoints of sets."""

    def path(wildcards):
        checkpoints.split.get()
        checkpoints.variants.get()
        return f"data/processed/variants/{wildcards.synthesis}/{name}"

    return path


rule pool:
    message:
        "Pool {wildcards.synthesis} and run its sensitivity analyses."
    input:
        effects=set_file("effects.csv"),
        covariance=set_file("covariance.csv"),
        directions=set_file("directions.csv"),
        variants=variant_file("effects.csv"),
        variant_covariance=variant_file("covariance.csv"),
        code=code("pool.py"),
    output:
        expand("results/{{synthesis}}/{file}", file=EXPLORED),
        effects="results/{synthesis}/effects.csv",
        covariance="results/{synthesis}/covariance.csv",
        directions="results/{synthesis}/directions.csv",
        pooled="results/{synthesis}/pooled.csv",
        subgroup_test="results/{synthesis}/subgroup_test.csv",
    params:
        root=ROOT,
        settings=lambda wildcards: pool_settings(config_read, wildcards.synthesis),
    script:
        "../scripts/pool.py"


def pooled_files(wildcards):
    """Pooled results of every synthesis."""
    return behind_split(lambda s: [f"results/{s}/{f}" for f in SET_FILES])


rule summary:
    message:
        "Summarise all syntheses, test the directions and combine exact p values."
    input:
        results=pooled_files,
        directions=derived("directions"),
        effects=derived("effects"),
        tables=checked_tables,
        code=code("summary.py"),
    output:
        syntheses="results/syntheses.csv",
        direction_sets="results/direction_sets.csv",
        p_combination="results/p_combination.csv",
        albatross="results/albatross.csv",
    params:
        root=ROOT,
        choices=choices("outcomes", "directions", "syntheses"),
    script:
        "../scripts/summary.py"


rule agreement:
    message:
        "Compare with PyMARE and statsmodels."
    input:
        results=pooled_files,
        code=code("agreement.py"),
    output:
        "results/agreement.csv",
    params:
        root=ROOT,
        syntheses=SYNTHESES,
    script:
        "../scripts/agreement.py"
