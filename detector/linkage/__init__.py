"""Profiles to links between accounts, and links to clusters. Scores nobody."""
