"""Measure scored accounts against the truth."""
