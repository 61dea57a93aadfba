"""Exercise of notebook 04: a matrix whose powers grow first."""

from __future__ import annotations

from typing import Any

import numpy as np

from helpers.checks.arrays import one_array
from helpers.checks.harness import attempt
from helpers.checks.registry import exercise
from helpers.checks.results import WRONG_SHAPE, WRONG_VALUES, Verdict
from helpers.measure.jacobians import power_norms, spectral_radius

LARGEST_ENTRY = 10
WANTED_NORM = 1000
POWERS = 3000


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
    norms = power_norms(A, POWERS)
    if norms.max() <= WANTED_NORM:
        k = int(norms.argmax()) + 1
        lines = [f"Its spectral radius is below 1, and its largest power, A^{k}, has norm "
                 f"{norms.max():.3g}: not above {WANTED_NORM:,}."]  # fmt: skip
        if np.allclose(A @ A.T, A.T @ A):
            lines.append("It is normal (A A^T = A^T A): the norms of such powers never grow.")
        else:
            lines.append("How long does the growth last before the eigenvalues win?")
        raise refuse(*lines)
    return "Its spectral radius is below 1, and a power of it has a norm above 1,000."
