"""Frozen records that pass from step to step; each is a row of a derived table."""
