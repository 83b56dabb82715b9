"""The report: one self-contained page for reviewers, clinicians and referees."""

from osteometa.report.page import render_report

__all__ = ["render_report"]
