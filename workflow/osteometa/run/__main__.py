"""`python -m osteometa.run`: Snakemake, which Ctrl-C ends in no traceback while it starts."""

import signal
import sys

if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from snakemake.cli import main

sys.exit(main())
