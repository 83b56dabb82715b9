"""Numerical building blocks of all statistics; nothing of the review is known here."""
