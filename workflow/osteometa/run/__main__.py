"""`python -m osteometa.run`: Snakemake, which Ctrl-C ends in no traceback while it starts."""

import signal
import sys


def run() -> int:
    """Run Snakemake with the options of the command."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    # After the signal is set: this import takes most of the time.
    from snakemake.cli import main

    return main()


if __name__ == "__main__":
    sys.exit(run())
