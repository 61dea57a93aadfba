"""The old name of `helpers.checks.attempt`; goes when nothing imports it."""

from helpers.checks.attempt import (  # noqa: F401
    Case,
    Outcome,
    attempt,
    check_errors,
    failure,
    shapes_of,
)
