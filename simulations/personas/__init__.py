"""Honest accounts: one module per persona."""
