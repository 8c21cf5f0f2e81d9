"""Past one machine: what a real Spark cluster gives. Run by `make spark`, outside the default run."""
