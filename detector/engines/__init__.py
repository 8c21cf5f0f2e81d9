"""Where rows live: an engine streams a log as batches of canonical columns. No detection happens here."""
