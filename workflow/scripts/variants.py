"""Adapter: checked tables -> effects under each alternative choice, one folder per synthesis."""

from pathlib import Path

from osteometa.derivation.alternatives import split_variants, variants
from osteometa.extraction.reading import read_checked
from osteometa.io.csv_records import write_records
from osteometa.protocol.config import from_part
from osteometa.records.effects import VariantCovariance, VariantEffect
from osteometa.run.jobs import job

with job(snakemake, "deriving alternatives ...") as root:
    config = from_part(snakemake.params.choices)
    found = variants(read_checked(root / "data/processed/checked"), config)
    folder = Path(snakemake.output[0])
    folder.mkdir(parents=True, exist_ok=True)
    for name, own in split_variants(found, config).items():
        write_records(folder / name / "effects.csv", VariantEffect, own.effects)
        write_records(folder / name / "covariance.csv", VariantCovariance, own.covariances)
