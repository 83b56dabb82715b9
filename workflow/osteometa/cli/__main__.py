"""`python -m osteometa.cli`."""

import sys

from osteometa.cli import main

sys.exit(main())
