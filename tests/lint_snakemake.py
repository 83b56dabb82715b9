"""Run `snakemake --lint` and fail on every finding that is not on the list below."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Findings that are meant, each with its reason.
ALLOWED = {
    "No log directive defined": "adapters print one line; errors go to the reader, not to a file",
    "Specify a conda environment or container for each rule.": "one locked environment for all",
    "Mixed rules and functions in same snakefile.": "input functions stand beside their rules",
}
FINDING = re.compile(r"^ {4}\* (.+?):?$", re.MULTILINE)


def main() -> int:
    """Return 1 if a finding is not allowed."""
    command = [
        str(Path(sys.executable).parent / "snakemake"),
        "--lint",
        "--workflow-profile",
        "none",
    ]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    output = result.stdout + result.stderr
    found = FINDING.findall(output)
    if result.returncode and not found:
        print(output)
        return 1
    new = sorted({f for f in found if not any(f.startswith(a.rstrip(":")) for a in ALLOWED)})
    for finding in new:
        print(f"snakemake --lint: {finding}")
    return 1 if new else 0


if __name__ == "__main__":
    sys.exit(main())
