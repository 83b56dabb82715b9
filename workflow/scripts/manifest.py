"""Adapter: the records of all jobs -> results/manifest.csv."""

import sys

from osteometa.run.jobs import job
from osteometa.run.manifest import write_manifest

with job(snakemake, "listing what was made ..."):
    write_manifest(snakemake.output[0])
sys.stderr.write("done: results/report.html\n")
