"""Recompute every effect of the review in R and show the largest difference.

usage: .venv/bin/python benchmarks/effects_in_r.py [REVIEW]     (needs Rscript with metafor)

The effects are derived from the tables as they are and written with twelve digits, as a run does.
``escalc_check.R`` then reads the raw cells that each effect names and computes it again. Exits with
1 if an effect could not be recomputed or differs by more than a part in 10^11.
"""

import csv
import subprocess
import sys
import tempfile
from pathlib import Path

from osteometa.derivation.derive import derive
from osteometa.io.csv_records import write_records
from osteometa.records.effects import Effect
from osteometa.validation.review import check_review

PROJECT = Path(__file__).resolve().parents[1]
TOLERANCE = 1e-11  # twelve digits are rounded by half of this at most


def recomputed(review: Path) -> list[dict[str, str]]:
    """Return a row per effect: ours and R's."""
    outcome = check_review(review)
    if not outcome.passed:
        sys.exit(f"the tables of {review} have problems: osteometa check")
    with tempfile.TemporaryDirectory() as folder:
        effects, answers = Path(folder, "effects.csv"), Path(folder, "r.csv")
        derived = derive(outcome.tables, outcome.config).effects
        if not derived:
            sys.exit(f"{review} has no effect to recompute")
        write_records(effects, Effect, derived)
        script = PROJECT / "benchmarks/escalc_check.R"
        subprocess.run(
            ["Rscript", str(script), str(review), str(effects), str(answers)], check=True
        )
        with answers.open(encoding="utf-8", newline="") as lines:
            return list(csv.DictReader(lines))


def difference(row: dict[str, str]) -> float:
    """Return the larger relative difference of estimate and variance; an estimate of 0 is 0."""
    if "NA" in (row["yi"], row["vi"]):
        return float("nan")
    pairs = [(float(row[name]), float(row[f"{name}_ours"])) for name in ("yi", "vi")]
    return max(abs(x - y) / abs(y) if y else abs(x) for x, y in pairs)


def main() -> None:
    """Print how many effects were recomputed by which means, and how far they agree."""
    review = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else PROJECT
    rows = [(difference(row), row) for row in recomputed(review)]
    for means, name in (("1", "metafor's escalc"), ("0", "the formula in R")):
        own = [(far, row) for far, row in rows if row["escalc"] == means and far == far]
        if own:
            far, row = max(own, key=lambda pair: pair[0])
            print(f"{len(own)} effects by {name}: largest relative difference {far:.1e}")
            print(f"    {row['effect_id']} ({row['provenance']})")
    failed = [row for far, row in rows if not far <= TOLERANCE]
    for row in failed:
        print(f"not as ours: {row}")
    print(f"{len(rows) - len(failed)} of {len(rows)} effects agree")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
