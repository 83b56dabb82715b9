"""Adapter: raw tables -> checked tables, effects, directions and sets, or all problems."""

import sys
from pathlib import Path

from osteometa.derivation.extract import extract, write_extraction
from osteometa.run.invocation import Invocation
from osteometa.run.jobs import job
from osteometa.run.manifest import stamp
from osteometa.run.progress import print_line
from osteometa.validation.review import check_review, report_text, write_warnings

invocation = Invocation(**snakemake.params.invocation)
with job(snakemake) as root:
    config = invocation.load()
    outcome = check_review(root, settings=lambda: config)
    if not outcome.passed:
        print_line(report_text(outcome, root).rstrip())
        sys.exit(1)
    for problem in outcome.problems:
        if problem.severity == "note":
            print_line(f"{problem.file}: {problem.message}")
    write_warnings(snakemake.output.warnings, outcome.problems)
    write_extraction(extract(outcome.tables, config), Path(root))
    stamp(snakemake.output.stamp, snakemake.input.tables, invocation.given)
