"""Accounts that extract: one module per attacker."""
