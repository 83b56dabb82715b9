# What happens to a pool when a choice or a study changes.


checkpoint variants:
    message:
        "Derive the effects under each alternative choice."
    input:
        tables=checked_tables,
        code=code("variants.py"),
    output:
        directory("data/processed/variants"),
    params:
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


rule what_if:
    message:
        "Change one choice at a time of {wildcards.synthesis}."
    input:
        effects=set_file("effects.csv"),
        covariance=set_file("covariance.csv"),
        variants=variant_file("effects.csv"),
        variant_covariance=variant_file("covariance.csv"),
        code=code("what_if.py"),
    output:
        expand("results/{{synthesis}}/{file}", file=EXPLORED),
    params:
        settings=lambda wildcards: what_if_settings(config_read, wildcards.synthesis),
    script:
        "../scripts/what_if.py"
