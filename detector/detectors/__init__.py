"""Features to scores: one interface, an explicit registry, and the checks every detector owes."""
