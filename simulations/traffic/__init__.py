"""Arrivals, lengths and prompts: what every account draws from."""
