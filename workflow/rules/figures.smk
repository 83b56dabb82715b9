# Results -> figures.


def result_files(wildcards):
    """Results of one synthesis, behind the split."""
    checkpoints.split.get()
    return [f"results/{wildcards.synthesis}/{f}" for f in SET_FILES]


def synthesis_choices(wildcards):
    """What a forest plot depends on of config.yaml."""
    return forest_settings(config_read, wildcards.synthesis)


rule forest:
    message:
        "Draw the forest plot of {wildcards.synthesis}."
    input:
        results=result_files,
        code=code("forest.py"),
    output:
        report(
            "results/{synthesis}/forest.svg",
            caption="../report/forest.rst",
            category="Forest plots",
            labels={"synthesis": "{synthesis}"},
        ),
        multiext("results/{synthesis}/forest", ".pdf", ".png", ".csv"),
    params:
        settings=synthesis_choices,
    script:
        "../scripts/forest.py"


rule direction_plot:
    message:
        "Draw the effect direction plot."
    input:
        directions=derived("directions"),
        code=code("direction_plot.py"),
    output:
        report(
            "results/directions.svg",
            caption="../report/directions.rst",
            category="Directions",
        ),
        multiext("results/directions", ".pdf", ".png", ".csv"),
        directory("results/directions_pages"),
    params:
        choices=choices("outcomes", "directions"),
    script:
        "../scripts/direction_plot.py"
