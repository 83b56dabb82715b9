"""`python -m osteometa.run`: Snakemake, with what must be right before it starts."""

import sys

from osteometa.run.startup import prepare

if __name__ == "__main__":
    prepare()
    from snakemake.cli import main

    sys.exit(main())
