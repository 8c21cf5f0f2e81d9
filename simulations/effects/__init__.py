"""Manipulation checks: what a cohort declares is measured in the written log; one module per declared effect."""
