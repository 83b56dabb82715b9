"""Planned analyses: their sets, pools and status."""
