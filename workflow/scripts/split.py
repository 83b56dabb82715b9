"""Adapter: effects and directions -> one folder per synthesis."""

from pathlib import Path

from osteometa.config import from_part
from osteometa.files import read_records, write_records
from osteometa.jobs import job
from osteometa.records import DirectionEntry, Effect, Vote
from osteometa.syntheses import split

with job(snakemake, "splitting by synthesis ..."):
    effects = read_records(snakemake.input.effects, Effect)
    entries = read_records(snakemake.input.directions, DirectionEntry)
    sets = split(effects, entries, from_part(snakemake.params.choices))
    Path(snakemake.output[0]).mkdir(parents=True, exist_ok=True)
    for synthesis, (chosen, votes) in sets.items():
        write_records(f"{snakemake.output[0]}/{synthesis}/effects.csv", Effect, chosen)
        write_records(f"{snakemake.output[0]}/{synthesis}/directions.csv", Vote, votes)
