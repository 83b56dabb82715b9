"""Adapter: the records of all jobs -> results/manifest.csv."""

import sys

from osteometa.io.csv_records import write_text
from osteometa.run.invocation import Invocation
from osteometa.run.jobs import job
from osteometa.run.manifest import SETTINGS, not_current, settings_hash, write_manifest
from osteometa.run.progress import print_line

given = snakemake.params
with job(snakemake) as root:
    changed = not_current(root)
    if Invocation(**given.invocation).unchanged(given.choices) is None:
        changed.append("the settings")
    if changed:
        sys.exit(
            f"Changed or removed during the run: {', '.join(changed)}. "
            "results/ is therefore not current: run again."
        )
    write_manifest(snakemake.output[0], root)
    write_text(root / SETTINGS, settings_hash(given.choices))
print_line(f"done: {(root / 'results/report.html').absolute()}")
