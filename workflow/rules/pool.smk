# Sets -> pooled results, the table of syntheses, sign tests, and what two libraries say of the same.


rule pool:
    message:
        "Pool {wildcards.synthesis}."
    input:
        effects=set_file("effects.csv"),
        covariance=set_file("covariance.csv"),
        directions=set_file("directions.csv"),
        code=code("pool.py"),
    output:
        effects="results/{synthesis}/effects.csv",
        covariance="results/{synthesis}/covariance.csv",
        directions="results/{synthesis}/directions.csv",
        pooled="results/{synthesis}/pooled.csv",
        subgroup_test="results/{synthesis}/subgroup_test.csv",
    params:
        choices=choices("pooling", "small_k", "subgroups"),
    script:
        "../scripts/pool.py"


def pooled_files(wildcards):
    """Pooled results of every synthesis."""
    return behind_split(lambda s: [f"results/{s}/{f}" for f in SET_FILES])


rule summary:
    message:
        "Tell what became of each synthesis, test the signs and combine exact p values."
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
        choices=choices("outcomes", "sites", "directions", "syntheses"),
    script:
        "../scripts/summary.py"


rule agreement:
    message:
        "Fit the same sets with PyMARE and statsmodels."
    input:
        results=pooled_files,
        code=code("agreement.py"),
    output:
        "results/agreement.csv",
    params:
        syntheses=SYNTHESES,
    script:
        "../scripts/agreement.py"
