"""A real file to canonical events: presets, sources, types, rejected rows. Knows nothing of detection."""
