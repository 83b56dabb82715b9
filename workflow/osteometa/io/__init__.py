"""How files are written and read, and how problems in them are reported."""
