"""Profiles to named numbers, each with family, unit, direction and the evidence level it needs."""
