# All results -> one self-contained report, and the manifest of all files.


def reported(wildcards):
    """All that the report shows."""
    checkpoints.split.get()
    checkpoints.variants.get()
    return [
        *pooled_files(wildcards),
        *behind_split(lambda s: [f"data/processed/variants/{s}/effects.csv"]),
        *behind_split(lambda s: [f"results/{s}/{f}" for f in [*EXPLORED, "figures.csv"]]),
        *expand("results/{file}", file=REVIEW_FILES),
        "data/processed/ledger.csv",
        "data/processed/effects.csv",
        "data/processed/warnings.csv",
        *expand("data/processed/checked/{table}.csv", table=TABLES),
    ]


rule report:
    message:
        "Write the report."
    input:
        results=reported,
        raw=expand("data/raw/{table}.csv", table=TABLES),
        code=code("report.py"),
        templates=expand(
            str(HOME / "workflow/osteometa/report/{file}"),
            file=["report.html.j2", "report.css", "report.js"],
        ),
    output:
        "results/report.html",
    params:
        root=ROOT,
        choices=config_read.model_dump(mode="json"),
    script:
        "../scripts/report.py"


def made(wildcards):
    """All results but the manifest itself."""
    return [path for path in everything(wildcards) if path != "results/manifest.csv"]


rule manifest:
    message:
        "List each file with its hash and its inputs."
    input:
        made,
        code=code("manifest.py"),
    output:
        "results/manifest.csv",
    params:
        root=ROOT,
    script:
        "../scripts/manifest.py"
