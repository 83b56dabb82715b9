"""Adapter: all pooled sets -> what PyMARE and statsmodels say of them."""

from osteometa.io.csv_records import read_records, write_records
from osteometa.records.effects import Covariance, WeightedEffect
from osteometa.records.pools import AgreementRow
from osteometa.run.jobs import job
from osteometa.run.progress import print_line
from osteometa.synthesis.independent_fits import agreement_rows

with job(snakemake) as root:
    rows = []
    for name in snakemake.params.syntheses:
        effects = read_records(root / "results" / name / "effects.csv", WeightedEffect)
        links = read_records(root / "results" / name / "covariance.csv", Covariance)
        rows += agreement_rows(name, effects, links)
    for row in rows:
        if row.verdict == "differs":
            print_line(
                f"warning: {row.library} differs on {row.quantity} of {row.synthesis} "
                f"({row.measure}, {row.group}): {row.cause}"
            )
    write_records(snakemake.output[0], AgreementRow, rows)
