"""Adapter: the records of all jobs -> results/manifest.csv."""

import sys

from osteometa.run.jobs import job
from osteometa.run.manifest import write_manifest

with job(snakemake) as root:
    write_manifest(snakemake.output[0], root)
sys.stderr.write(f"done: {root / 'results/report.html'}\n")
