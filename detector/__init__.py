"""Read model-usage logs; say which accounts look like distillation, and why. Knows nothing of how a log was made."""

__version__ = "0.1.0"
