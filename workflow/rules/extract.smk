# Raw tables -> checked tables -> effects, directions and ledger, whole and as one set per synthesis;
# and the missing values that would add a study to a synthesis.


def given_for_effects():
    """What the run was given, without later settings that the files of settings have too."""
    given = dict(invocation.given)
    if invocation.files:
        given = {key: value for key, value in given.items() if key not in LATER}
    return asdict(replace(invocation, given=given))


checkpoint extract:
    message:
        "Check the tables, and derive effects and directions of effect."
    input:
        tables=RAW,
        config=ancient(list(invocation.files)),
    output:
        stamp="data/processed/inputs.sha256",
        tables=expand("data/processed/checked/{table}.csv", table=TABLES),
        warnings="data/processed/warnings.csv",
        effects="data/processed/effects.csv",
        covariance="data/processed/covariance.csv",
        directions="data/processed/directions.csv",
        ledger="data/processed/ledger.csv",
        reported="data/processed/reported.csv",
        sets=directory("data/processed/sets"),
    params:
        root=ROOT,
        code=code("extract.py"),
        choices=choices(*(key for key in Config.model_fields if key not in LATER)),
        invocation=given_for_effects(),
    script:
        "../scripts/extract.py"


def extracted(*files):
    """Files of the derived tables, known only when they are made."""

    def paths(wildcards):
        checkpoints.extract.get()
        return [f"data/processed/{file}" for file in files]

    return paths


CHECKED = [f"checked/{table}.csv" for table in TABLES]


rule wanted:
    priority: LONG
    message:
        "List the missing values that would add a study to a synthesis."
    input:
        extracted(*CHECKED),
    output:
        "results/wanted.csv",
    params:
        root=ROOT,
        code=code("wanted.py"),
        choices=choices(*DERIVING),
    script:
        "../scripts/wanted.py"
