# Raw tables -> checked tables -> effects, directions and ledger -> one set per synthesis; and the
# missing values that would add a study to a synthesis.


checkpoint check:
    message:
        "Check the tables and config.yaml."
    input:
        tables=expand("data/raw/{table}.csv", table=TABLES),
        config=list(invocation.files),
        code=code("check.py"),
    output:
        tables=expand("data/processed/checked/{table}.csv", table=TABLES),
        warnings="data/processed/warnings.csv",
        stamp="data/processed/checked/inputs.sha256",
    params:
        root=ROOT,
        invocation=asdict(invocation),
    script:
        "../scripts/check.py"


def checked_tables(wildcards):
    """Checked tables, known only when the check has run."""
    checkpoints.check.get()
    return expand("data/processed/checked/{table}.csv", table=TABLES)


def checked_stamp(wildcards):
    """What changes whenever the check has run for a cause, so that the steps behind it run too."""
    checkpoints.check.get()
    return "data/processed/checked/inputs.sha256"


def derived_stamp(wildcards):
    """The same of the effects."""
    checkpoints.check.get()
    return "data/processed/inputs.sha256"


rule effects:
    message:
        "Derive effects and directions of effect, and record the status of each row."
    input:
        tables=checked_tables,
        stamp=checked_stamp,
        code=code("effects.py"),
    output:
        effects="data/processed/effects.csv",
        covariance="data/processed/covariance.csv",
        directions="data/processed/directions.csv",
        ledger="data/processed/ledger.csv",
        stamp="data/processed/inputs.sha256",
    params:
        root=ROOT,
        choices=choices("secondary_outcomes", *DERIVING),
    script:
        "../scripts/effects.py"


rule wanted:
    message:
        "List the missing values that would add a study to a synthesis."
    input:
        tables=checked_tables,
        code=code("wanted.py"),
    output:
        "results/wanted.csv",
    params:
        root=ROOT,
        choices=choices(*DERIVING),
    script:
        "../scripts/wanted.py"


def derived(name):
    """A review-wide derived table, behind the check."""

    def path(wildcards):
        checkpoints.check.get()
        return f"data/processed/{name}.csv"

    return path


checkpoint split:
    message:
        "Assign effects and directions to the planned syntheses."
    input:
        effects=derived("effects"),
        covariance=derived("covariance"),
        directions=derived("directions"),
        stamp=derived_stamp,
        code=code("split.py"),
    output:
        directory("data/processed/sets"),
    params:
        root=ROOT,
        choices=choices("directions", "syntheses"),
    script:
        "../scripts/split.py"


def behind_split(files):
    """Files of every synthesis, known only when the effects are split."""
    checkpoints.split.get()
    return [file for synthesis in SYNTHESES for file in files(synthesis)]


def set_file(name):
    """A file of one synthesis' set, behind the split."""

    def path(wildcards):
        checkpoints.split.get()
        return f"data/processed/sets/{wildcards.synthesis}/{name}"

    return path
