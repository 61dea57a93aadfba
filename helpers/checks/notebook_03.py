"""Exercises of notebook 03: one step of BPTT, and one step's Jacobian."""

from __future__ import annotations

from typing import Any

import numpy as np

from helpers.checks.compare import Mistake, compare
from helpers.checks.harness import Case
from helpers.checks.registry import exercise
from helpers.validation import Array

LARGEST_ENTRY = 10
WANTED_NORM = 1000
POWERS = 3000


def _jacobian(h, W):
    return (1 - h**2)[:, None] * W


JACOBIAN_MISTAKES = (
    Mistake(
        "You scaled the columns of W. Which index of W belongs to the unit whose slope it is?",
        lambda h, W: W * (1 - h**2),
    ),
    Mistake(
        "Your result is transposed: entry [i, j] is unit i by the old unit j.",
        lambda h, W: _jacobian(h, W).T,
    ),
    Mistake(
        "Your result is built from the transpose of W.",
        lambda h, W: _jacobian(h, W.T),
    ),
    Mistake("Where is the derivative of tanh? This is W alone.", lambda h, W: W),
    Mistake(
        "You scaled by h itself; the slope of tanh is another function of h.",
        lambda h, W: h[:, None] * W,
    ),
    Mistake(
        "You scaled by 1 - h: the slope of tanh holds a square.", lambda h, W: (1 - h)[:, None] * W
    ),
    Mistake(
        "h already is the tanh: you took it twice.", lambda h, W: (1 - np.tanh(h) ** 2)[:, None] * W
    ),
    Mistake(
        "Only the diagonal is left. diag(...) W is a matrix product, not one element by element.",
        lambda h, W: np.diag(1 - h**2) * W,
    ),
    Mistake(
        "A vector times W sums over the rows; here each row is to be scaled and kept.",
        lambda h, W: (1 - h**2) @ W,
    ),
    Mistake(
        "W times the slopes sums each row up; here each row is to be scaled and kept.",
        lambda h, W: W @ (1 - h**2),
    ),
)


@exercise("03", 2, "The Jacobian of one step", points=2, minutes=8, difficulty=2)
def step_jacobian(answer: Any) -> str:
    """Check a function of (h, W) that returns a Jacobian (hidden, hidden)."""
    rng = np.random.default_rng(201)
    cases: list[Case] = [
        {"h": rng.uniform(-0.95, 0.95, n), "W": rng.normal(0, 0.7, (n, n))} for n in (4, 3, 6, 2)
    ]
    return compare(answer, cases, _jacobian, JACOBIAN_MISTAKES, shape="(hidden, hidden)")


def _delta(h: Array, dL_dh: Array) -> Array:
    return (1 - h**2) * dL_dh


def _bptt(h_t, h_before, W, dL_dh):
    delta = _delta(h_t, dL_dh)
    return W.T @ delta, np.outer(delta, h_before)


FORGOTTEN = "The factor 1 - h_t^2 is missing: delta is dL/da, before the tanh."
EARLY = "Off by one in time: the slope of this step's tanh is taken at h_t."
BPTT_MISTAKES = (
    Mistake(
        "Did you use W where its transpose belongs? Going back, each old unit sums over a column.",
        lambda h_t, h_before, W, dL_dh: W @ _delta(h_t, dL_dh),
    ),
    Mistake(FORGOTTEN, lambda h_t, h_before, W, dL_dh: W.T @ dL_dh),
    Mistake(
        "The factor 1 - h_t^2 belongs before the transpose of W, not after it.",
        lambda h_t, h_before, W, dL_dh: _delta(h_t, W.T @ dL_dh),
    ),
    Mistake(EARLY, lambda h_t, h_before, W, dL_dh: W.T @ _delta(h_before, dL_dh)),
    Mistake(
        "This is delta itself: it has still to go back through W.",
        lambda h_t, h_before, W, dL_dh: _delta(h_t, dL_dh),
    ),
    Mistake(
        "Off by one in time: this step's W was applied to the state before, not to h_t.",
        lambda h_t, h_before, W, dL_dh: np.outer(_delta(h_t, dL_dh), h_t),
        part=1,
    ),
    Mistake(
        "Your outer product is transposed: entry [i, j] is unit i's delta with the old unit j.",
        lambda h_t, h_before, W, dL_dh: np.outer(h_before, _delta(h_t, dL_dh)),
        part=1,
    ),
    Mistake(FORGOTTEN, lambda h_t, h_before, W, dL_dh: np.outer(dL_dh, h_before), part=1),
    Mistake(
        EARLY, lambda h_t, h_before, W, dL_dh: np.outer(_delta(h_before, dL_dh), h_before), part=1
    ),
    Mistake(
        "W has an entry for each pair of units: an outer product, not one element by element.",
        lambda h_t, h_before, W, dL_dh: _delta(h_t, dL_dh) * h_before,
        part=1,
    ),
)


@exercise("03", 1, "One step of BPTT", points=3, minutes=10, difficulty=2)
def bptt_step(answer: Any) -> str:
    """Check a function of (h_t, h_before, W, dL_dh) that returns (dL_dh_before, term_W)."""
    rng = np.random.default_rng(202)
    cases: list[Case] = [
        {
            "h_t": rng.uniform(-0.95, 0.95, n),
            "h_before": rng.uniform(-0.95, 0.95, n),
            "W": rng.normal(0, 0.7, (n, n)),
            "dL_dh": rng.normal(size=n),
        }
        for n in (4, 3, 6, 2)
    ]
    return compare(answer, cases, _bptt, BPTT_MISTAKES, names=("dL_dh_before", "term_W"))
