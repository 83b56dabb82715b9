"""Every problem of the tables, reported at once."""
