"""Settings of the tests alone."""

from hypothesis import settings

# A busy machine may take its time over one example.
settings.register_profile("course", deadline=None)
settings.load_profile("course")
