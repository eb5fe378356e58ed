"""The report as one HTML file that loads nothing."""

from nmt.report.page.run_page import render_report, trial_rows
from nmt.report.page.score_page import render_scores

__all__ = ["render_report", "render_scores", "trial_rows"]
