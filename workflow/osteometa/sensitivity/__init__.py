"""What happens to a pool when a study or a choice changes."""
