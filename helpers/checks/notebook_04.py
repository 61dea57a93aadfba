"""Exercise of notebook 04: a matrix whose powers grow first."""

from __future__ import annotations

from typing import Any

import numpy as np

from helpers.checks.attempt import attempt
from helpers.checks.compare import one_array
from helpers.checks.registry import exercise
from helpers.checks.results import WRONG_SHAPE, WRONG_VALUES, Verdict
from helpers.measure.jacobians import spectral_radius
from helpers.validation import Array

LARGEST_ENTRY = 10
WANTED_NORM = 1000
EACH_POWER = 3000  # up to here every power is looked at, then some hundred to a decade
LARGEST_POWER = 10**12


@exercise(
    "04", 1, "Break a claim: small eigenvalues, small powers", points=3, minutes=10, difficulty=3
)
def growing_matrix(answer: Any) -> str:
    """Check a function that returns a matrix (2, 2): its entries, its radius, its powers."""
    (A,) = attempt(answer, [{}], one_array)[0].value
    if A.shape != (2, 2):
        raise Verdict(WRONG_SHAPE, f"Your matrix has shape {A.shape} and should have (2, 2).")

    def refuse(*lines: str) -> Verdict:
        return Verdict(WRONG_VALUES, *lines, head="the claim still stands")

    if not np.isfinite(A).all():
        raise refuse("Your matrix holds inf or NaN.")
    if np.abs(A).max() > LARGEST_ENTRY:
        raise refuse(
            f"An entry is larger than {LARGEST_ENTRY} in size: with those it would be no surprise.",
            "The growth must come from the powers.",
        )
    radius = spectral_radius(A)
    if radius >= 1:
        raise refuse(
            f"Its spectral radius is {radius:.3g}; the claim is about matrices below 1.",
            "Look at the eigenvalues alone first. Of which matrices are they easy to read off?",
        )
    k, norm = largest_power(A)
    if norm <= WANTED_NORM:
        seen = f"its largest power, A^{k:,}, has norm {norm:.3g}: not above {WANTED_NORM:,}."
        lines = [f"Its spectral radius is below 1, and {seen}"]
        if np.allclose(A @ A.T, A.T @ A):
            lines.append("It is normal (A A^T = A^T A): the norms of such powers never grow.")
        else:
            lines.append("How long does the growth last before the eigenvalues win?")
        raise refuse(*lines)
    return "Its spectral radius is below 1, and a power of it has a norm above 1,000."


def largest_power(A: Array) -> tuple[int, float]:
    """Return the power with the largest norm, and that norm; A (2, 2), its radius below 1."""

    def norms(powers: Array) -> Array:
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            return np.array([np.linalg.norm(np.linalg.matrix_power(A, int(k)), 2) for k in powers])

    far = np.geomspace(EACH_POWER, LARGEST_POWER, 1000).astype(np.int64)
    powers = np.concatenate([np.arange(1, EACH_POWER), far])
    found = norms(powers)
    best = int(found.argmax())
    if best < EACH_POWER - 1:
        return int(powers[best]), float(found[best])
    low, high = powers[best - 1], powers[min(best + 1, len(powers) - 1)]
    while high - low > 2:  # the norm rises to its largest between the two, and falls
        left, right = low + (high - low) // 3, high - (high - low) // 3
        smaller, larger = norms(np.array([left, right]))
        low, high = (left, high) if smaller < larger else (low, right)
    last = np.arange(low, high + 1)
    found = norms(last)
    return int(last[found.argmax()]), float(found.max())
