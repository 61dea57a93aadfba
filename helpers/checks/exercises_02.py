"""Exercises of notebook 02: one step's Jacobian, one step of BPTT, a matrix that grows first."""

from __future__ import annotations

from typing import Any

import numpy as np

from helpers import measure as gradients
from helpers.checks.arrays import one_array
from helpers.checks.compare import Mistake, compare
from helpers.checks.harness import Case, attempt
from helpers.checks.predictions import predicted
from helpers.checks.registry import exercise
from helpers.checks.results import WRONG_SHAPE, WRONG_VALUES, Verdict
from helpers.measure.jacobians import power_norms, spectral_radius
from helpers.networks import rnn
from helpers.networks.classifiers import seeded
from helpers.validation import Array

LARGEST_ENTRY = 10
WANTED_NORM = 1000
POWERS = 3000


@exercise("02", 2, "The first of four words", points=1, minutes=2, difficulty=1, kind="prediction")
def guess_share(answer: Any) -> str:
    """Check a prediction in percent."""
    lesson = "Small, and far from absent: three factors are too few for a gradient to vanish."
    return predicted(answer, _share_of_word_1, unit="%", low=0, high=100, lesson=lesson)


def _share_of_word_1() -> float:
    """Percent; four one-hot words, 32 units, PyTorch's default weights, as in the notebook."""
    layer = seeded(0, lambda: rnn.RNN(4, 32)).double()
    U, W, b_ih, b_hh = (weight.detach().numpy() for weight in layer.parameters())
    x = np.eye(4)[:, None]
    h = rnn.forward(x, U, W, b_ih, b_hh)
    V = np.random.default_rng(0).uniform(-1, 1, (2, 32)) / np.sqrt(32)
    p = np.exp(V @ h[-1, 0]) / np.exp(V @ h[-1, 0]).sum()
    direct = np.zeros((4, 1, 32))
    direct[-1, 0] = V.T @ (p - [0.0, 1.0])
    delta = (1 - h[1:] ** 2) * rnn.backward(direct, x, h, U, W).states
    return float(100 * gradients.shares(gradients.terms_by_step(delta, x))[0])


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


@exercise("02", 3, "The Jacobian of one step", points=2, minutes=8, difficulty=2)
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


@exercise("02", 1, "One step of BPTT", points=3, minutes=10, difficulty=2)
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


@exercise(
    "02", 4, "Break a claim: small eigenvalues, small powers", points=3, minutes=10, difficulty=3
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
