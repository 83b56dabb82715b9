"""Specifications in any number: the full product of the registered choices, in parts on disk."""
