"""An old part of `helpers.checks.compare`; goes when nothing imports it."""

from helpers.checks.compare import close, one_array, one_number, several, to_array  # noqa: F401
