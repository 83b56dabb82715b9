"""Adapter: the records of all jobs -> results/manifest.csv."""

from osteometa.run.jobs import job
from osteometa.run.manifest import write_manifest
from osteometa.run.progress import print_line

with job(snakemake) as root:
    write_manifest(snakemake.output[0], root)
print_line(f"done: {root / 'results/report.html'}")
