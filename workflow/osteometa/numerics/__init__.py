"""Numerical functions behind all statistics, independent of reviews."""
