"""Questions to a review: why a number is as it is, what changed, what a run would do."""
