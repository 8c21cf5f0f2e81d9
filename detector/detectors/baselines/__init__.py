"""Published detectors beside our own, so that a comparison is of the same log, the same windows and the same judge."""
