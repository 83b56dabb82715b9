"""Adapter: checked tables -> effects under each alternative choice, one folder per synthesis."""

from pathlib import Path

from osteometa.config import from_part
from osteometa.files import write_records
from osteometa.jobs import job
from osteometa.reading import read_checked
from osteometa.records import VariantCovariance, VariantEffect
from osteometa.variants import split_variants, variants

with job(snakemake, "deriving variants ..."):
    config = from_part(snakemake.params.choices)
    found = variants(read_checked("data/processed/checked"), config)
    folder = Path(snakemake.output[0])
    folder.mkdir(parents=True, exist_ok=True)
    for name, own in split_variants(found, config).items():
        write_records(folder / name / "effects.csv", VariantEffect, own.effects)
        write_records(folder / name / "covariance.csv", VariantCovariance, own.covariances)
