"""Directions of effects where sizes are unknown, sign tests and combined p values."""
