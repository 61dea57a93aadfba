"""Exercises of notebook 00: what does not grow with the sentence, and the step itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from helpers.checks.compare import Mistake, compare
from helpers.checks.harness import Case
from helpers.checks.registry import exercise

SIZES = ((4, 4), (3, 3), (5, 2), (2, 6), (1, 3))  # (hidden, input); square ones first


def _step(x, h, W, U, b):
    return np.tanh(W @ h + U @ x + b)


TRANSPOSED = "Is a matrix transposed? Row i of W and of U belongs to unit i of the new state."
STEP_MISTAKES = (
    Mistake(
        "Did you multiply element by element? W h and U x are matrix products: look at @.",
        lambda x, h, W, U, b: np.tanh(W * h + U * x + b),
    ),
    Mistake(
        "Did you multiply element by element? Each unit sums over a row, not over a column.",
        lambda x, h, W, U, b: np.tanh((W * h).sum(0) + (U * x).sum(0) + b),
    ),
    Mistake(TRANSPOSED, lambda x, h, W, U, b: np.tanh(W.T @ h + U.T @ x + b)),
    Mistake(TRANSPOSED, lambda x, h, W, U, b: np.tanh(W.T @ h + U @ x + b)),
    Mistake(TRANSPOSED, lambda x, h, W, U, b: np.tanh(W @ h + U.T @ x + b)),
    Mistake("Where is the bias b?", lambda x, h, W, U, b: np.tanh(W @ h + U @ x)),
    Mistake(
        "Your state is not bounded by 1: where is the tanh?",
        lambda x, h, W, U, b: W @ h + U @ x + b,
    ),
    Mistake(
        "The bias goes into the tanh, not on top of it.",
        lambda x, h, W, U, b: np.tanh(W @ h + U @ x) + b,
    ),
    Mistake(
        "W and U seem swapped: which of the two meets the old state?",
        lambda x, h, W, U, b: np.tanh(U @ h + W @ x + b),
    ),
    Mistake(
        "Did you use the logistic function? Its values are never negative; those of tanh are.",
        lambda x, h, W, U, b: 1 / (1 + np.exp(-(W @ h + U @ x + b))),
    ),
    Mistake(
        "Your result does not depend on h: without W h the network has no memory.",
        lambda x, h, W, U, b: np.tanh(U @ x + b),
    ),
)


@exercise("00", 1, "The RNN step", points=2, minutes=5, difficulty=1)
def rnn_step(answer: Any) -> str:
    """Check a function of (x, h, W, U, b) that returns the next state (hidden,)."""
    return compare(answer, _step_cases(), _step, STEP_MISTAKES, shape="(hidden,)")


def _step_cases() -> list[Case]:
    rng = np.random.default_rng(100)
    return [
        {
            "x": rng.normal(size=size),
            "h": rng.uniform(-0.9, 0.9, hidden),
            "W": rng.normal(0, 0.7, (hidden, hidden)),
            "U": rng.normal(0, 0.7, (hidden, size)),
            "b": rng.normal(0, 0.5, hidden),
        }
        for hidden, size in SIZES
    ]
