"""What holds for all tests: a first call may compile a kernel, so single examples have no deadline."""

from hypothesis import settings

settings.register_profile("default", settings(), deadline=None)
settings.load_profile("default")
