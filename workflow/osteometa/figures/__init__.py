"""Figures: rows -> layout -> drawing. Nothing here computes statistics."""
