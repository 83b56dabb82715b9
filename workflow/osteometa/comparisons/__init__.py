"""Exercise arm against comparator, and what is reported for one outcome and time."""
