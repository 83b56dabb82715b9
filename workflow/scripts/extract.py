"""Adapter: raw tables -> checked tables, effects, directions and sets, or all problems."""

import sys
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory

from osteometa.derivation.extract import extract, write_extraction
from osteometa.run.invocation import Invocation
from osteometa.run.jobs import job
from osteometa.run.manifest import hashes, stamp
from osteometa.run.progress import print_line
from osteometa.validation.review import check_review, report_text, write_warnings

invocation = Invocation(**snakemake.params.invocation)
with job(snakemake) as root, TemporaryDirectory() as copies:
    config = invocation.unchanged(snakemake.params.choices)
    if config is None:
        sys.exit("The settings were changed after the run had read them: run again.")
    # Copies, so that what is checked is what the hashes say, whatever happens to the tables.
    raw = Path(copies, "data/raw")
    raw.mkdir(parents=True)
    for table in snakemake.input.tables:
        copyfile(table, raw / Path(table).name)
    tables = hashes([f"data/raw/{path.name}" for path in raw.iterdir()], copies)
    outcome = check_review(root, raw=raw, settings=lambda: config)
    if not outcome.passed:
        print_line(report_text(outcome, root).rstrip())
        sys.exit(1)
    if not outcome.tables.studies:
        print_line("studies.csv has no study yet: every planned analysis is empty.")
    for problem in outcome.problems:
        if problem.severity == "note":
            print_line(f"{problem.file}: {problem.message}")
    write_warnings(snakemake.output.warnings, outcome.problems)
    write_extraction(extract(outcome.tables, config), Path(root))
    stamp(snakemake.output.stamp, tables, invocation.given)
