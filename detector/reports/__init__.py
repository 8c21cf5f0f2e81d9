"""Results to files and terminals. Everything from a log is hostile here; nothing of it is rendered as markup."""
