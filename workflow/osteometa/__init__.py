"""Systematic-review meta-analysis of exercise and bone, from extraction tables to forest plots."""

__version__ = "0.2.0"
