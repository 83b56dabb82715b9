"""Adapter: the records of all jobs -> results/manifest.csv."""

import sys

from osteometa.manifest import write_manifest

write_manifest(snakemake.output[0])
sys.stderr.write("done: results/report.html\n")
