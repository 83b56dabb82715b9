"""Adapter: raw tables and config.yaml -> checked tables and warnings, or all problems."""

import sys
from pathlib import Path

from osteometa.extraction.reading import write_checked
from osteometa.run.invocation import Invocation
from osteometa.run.jobs import job
from osteometa.run.manifest import stamp
from osteometa.validation.review import check_review, report_text, write_warnings

invocation = Invocation(**snakemake.params.invocation)
with job(snakemake, "checking the tables ...") as root:
    outcome = check_review(root, settings=invocation.load)
    if not outcome.passed:
        sys.stderr.write(report_text(outcome, root))
        sys.exit(1)
    for problem in outcome.problems:
        if problem.severity == "note":
            sys.stderr.write(f"{problem.file}: {problem.message}\n")
    write_checked(Path(snakemake.output.tables[0]).parent, outcome.tables)
    write_warnings(snakemake.output.warnings, outcome.problems)
    stamp(snakemake.output.stamp, snakemake.input, invocation.given)
