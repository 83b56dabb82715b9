"""Adapter: the records of all jobs -> results/manifest.csv."""

import sys

from osteometa.io.csv_records import read_records, write_text
from osteometa.protocol.config import from_part
from osteometa.records.effects import Effect
from osteometa.report.findings import read_review
from osteometa.report.snapshot import snapshot_of
from osteometa.run.invocation import Invocation
from osteometa.run.jobs import job
from osteometa.run.manifest import SETTINGS, not_current, settings_hash, write_manifest
from osteometa.run.progress import print_line
from osteometa.run.remembered import remember

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
    effects = read_records(root / "data/processed/effects.csv", Effect)
    remember(root, given.inputs, snapshot_of(read_review(root, from_part(given.choices)), effects))
    write_text(root / SETTINGS, settings_hash(given.choices))
print_line(f"done: {(root / 'results/report.html').absolute()}")
