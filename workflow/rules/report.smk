# All results -> one self-contained report, and the manifest of all files.


INCLUDED = expand("results/included_studies.{kind}", kind=["csv", "html", "pdf", "docx"])


rule included:
    message:
        "Write the table of included studies."
    input:
        extracted("reported.csv", *CHECKED),
    output:
        INCLUDED,
    params:
        root=ROOT,
        code=code("included.py"),
        choices=choices("outcomes", "modalities", "derivation"),
    script:
        "../scripts/included.py"


def earlier(wildcards):
    """The state of the run before, where there is one: the report says what changed since."""
    return [str(EARLIER)] if Path(ROOT, EARLIER).is_file() else []


rule report:
    message:
        "Write the report."
    input:
        results,
        extracted(
            "inputs.sha256", "sets", "ledger.csv", "effects.csv", "warnings.csv", *CHECKED
        ),
        earlier,
        rules.fonts.output[0],
    output:
        "results/report.html",
    params:
        root=ROOT,
        code=code("report.py"),
        choices=config_read.model_dump(mode="json"),
    script:
        "../scripts/report.py"


rule manifest:
    message:
        "List each file with its hash and its inputs."
    input:
        results,
        INCLUDED,
        "results/report.html",
    output:
        "results/manifest.csv",
    params:
        root=ROOT,
        code=code("manifest.py"),
        choices=config_read.model_dump(mode="json"),
        invocation=asdict(invocation),
        inputs=lambda wildcards: run_inputs(),
    script:
        "../scripts/manifest.py"
