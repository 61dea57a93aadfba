"""Exercises of notebook 04: a matrix whose powers grow first, slopes that make a step grow."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from helpers.checks.attempt import attempt
from helpers.checks.compare import one_array, several
from helpers.checks.registry import exercise
from helpers.checks.results import WRONG_SHAPE, WRONG_VALUES, Verdict
from helpers.figures.picture import about, size
from helpers.measure.jacobians import spectral_radius
from helpers.validation import Array

LARGEST_ENTRY = 10
WANTED_NORM = 1000
LARGEST_POWER = 10**12
STEPS = 100  # over which a step's growth is told
_refused = functools.partial(Verdict, WRONG_VALUES, head="the claim still stands")


def _radius(A: Array, name: str, its: str) -> float:
    """Return a matrix's spectral radius; raises a Verdict if the claim is not about it."""
    if A.shape != (2, 2):
        raise Verdict(WRONG_SHAPE, f"{name} has shape {A.shape} and should have (2, 2).")
    if not np.isfinite(A).all():
        raise _refused(f"{name} holds inf or NaN.")
    if np.abs(A).max() > LARGEST_ENTRY:
        raise _refused(
            f"An entry is larger than {LARGEST_ENTRY} in size: with those it would be no surprise.",
            "The growth must come from the powers.",
        )
    radius = spectral_radius(A)
    if radius >= 1:
        raise _refused(
            f"{its} spectral radius is {radius:.3g}; the claim is about matrices below 1.",
            "Look at the eigenvalues alone first. Of which matrices are they easy to read off?",
        )
    return radius


@exercise(
    "04", 1, "Break a claim: small eigenvalues, small powers", points=3, minutes=7, difficulty=2
)
def growing_matrix(answer: Any) -> str:
    """Check a function that returns a matrix (2, 2): its entries, its radius, its powers."""
    (A,) = attempt(answer, [{}], one_array)[0].value
    _radius(A, "Your matrix", "Its")
    k, norm = largest_power(A)
    if norm <= WANTED_NORM:
        seen = f"its largest power, A^{k:,}, has norm {norm:.3g}: not above {WANTED_NORM:,}."
        why = "How long does the growth last before the eigenvalues win?"
        if np.allclose(A @ A.T, A.T @ A):
            why = "It is normal (A A^T = A^T A): the norms of such powers never grow."
        raise _refused(f"Its spectral radius is below 1, and {seen}", why)
    return "Its spectral radius is below 1, and a power of it has a norm above 1,000."


def largest_power(A: Array) -> tuple[int, float]:
    """Return a power with the largest norm, and that norm; A (2, 2), its radius below 1.

    All powers up to 100 are looked at, then some hundred to a decade.
    """
    powers = np.unique(np.geomspace(1, LARGEST_POWER, 5000).astype(np.int64))
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        norms = [float(np.linalg.norm(np.linalg.matrix_power(A, int(k)), 2)) for k in powers]
    best = int(np.argmax(norms))
    return int(powers[best]), norms[best]


@exercise("04", 2, "Break a harder claim: slopes only shrink", points=3, minutes=7, difficulty=3)
def growing_step(answer: Any) -> str:
    """Check a function that returns W (2, 2) and slopes (2,) whose step grows."""
    W, slopes = attempt(answer, [{}], several(("W", "slopes")))[0].value
    radius = _radius(W, "W", "W's")
    if slopes.shape != (2,):
        raise Verdict(WRONG_SHAPE, f"slopes has shape {slopes.shape} and should have (2,).")
    if not (np.isfinite(slopes).all() and (slopes > 0).all() and (slopes <= 1).all()):
        raise _refused(f"The slopes are {slopes.tolist()}; a tanh has slopes above 0 and up to 1.")
    grown = spectral_radius(slopes[:, None] * W)
    own, other = (about(r) if r > 1e-6 else "0" for r in (radius, grown))  # 0 but for rounding
    seen = f"W's spectral radius is {own}, that of diag(slopes) W is {other}"
    if grown > 1:
        of_all = size(STEPS * np.log10(grown), log10=True)
        return f"{seen}.\nOver {STEPS} such steps a gradient grows to {of_all}."
    why = "What keeps the eigenvalues of W small, and which slope would upset it?"
    if np.isclose(slopes[0], slopes[1]):
        why = "Equal slopes multiply W by one number, and its eigenvalues with it."
    elif (W >= 0).all() or (W <= 0).all():
        why = "With entries of one sign, smaller slopes can only lower the radius."
    elif W[0, 1] * W[1, 0] == 0:
        why = "W is triangular: each slope scales an eigenvalue, and none can grow."
    raise _refused(f"{seen}: its powers vanish in the end.", why)
