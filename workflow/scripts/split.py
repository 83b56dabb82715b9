"""Adapter: effects and directions -> one folder per synthesis."""

from pathlib import Path

from osteometa.io.csv_records import read_records, write_records
from osteometa.protocol.config import from_part
from osteometa.records.directions import DirectionEntry, StudyDirection
from osteometa.records.effects import Covariance, Effect
from osteometa.run.jobs import job
from osteometa.synthesis.sets import covariances_in, split

with job(snakemake, "assigning effects to syntheses ..."):
    effects = read_records(snakemake.input.effects, Effect)
    links = read_records(snakemake.input.covariance, Covariance)
    entries = read_records(snakemake.input.directions, DirectionEntry)
    sets = split(effects, entries, from_part(snakemake.params.choices))
    folder = Path(snakemake.output[0])
    folder.mkdir(parents=True, exist_ok=True)
    for name, (chosen, directions) in sets.items():
        write_records(folder / name / "effects.csv", Effect, chosen)
        write_records(folder / name / "covariance.csv", Covariance, covariances_in(chosen, links))
        write_records(folder / name / "directions.csv", StudyDirection, directions)
