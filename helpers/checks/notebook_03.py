"""Exercises of notebook 03: one step of BPTT, one step's Jacobian, the factor of each step."""

from __future__ import annotations

from typing import Any

import numpy as np

from helpers import measure
from helpers.checks.attempt import Case, attempt
from helpers.checks.compare import Mistake, close, compare, one_array
from helpers.checks.registry import exercise
from helpers.checks.results import WRONG_VALUES, Verdict
from helpers.validation import Array


def _jacobian(h, W):
    return (1 - h**2)[:, None] * W


JACOBIAN_MISTAKES = (
    Mistake("You scaled the columns of W. Which index of W belongs to the unit whose slope it is?",
            lambda h, W: W * (1 - h**2)),
    Mistake("Your result is transposed: entry [i, j] is unit i by the old unit j.",
            lambda h, W: _jacobian(h, W).T),
    Mistake("Your result is built from the transpose of W.",
            lambda h, W: _jacobian(h, W.T)),
    Mistake("Where is the derivative of tanh? This is W alone.", lambda h, W: W),
    Mistake("You scaled by h itself; the slope of tanh is another function of h.",
            lambda h, W: h[:, None] * W),
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
    Mistake("A vector times W sums over the rows; here each row is to be scaled and kept.",
            lambda h, W: (1 - h**2) @ W),
    Mistake("W times the slopes sums each row up; here each row is to be scaled and kept.",
            lambda h, W: W @ (1 - h**2)),
)  # fmt: skip


@exercise("03", 2, "The Jacobian of one step", points=2, minutes=4, difficulty=2)
def step_jacobian(answer: Any) -> str:
    """Check a function of (h, W) that returns a Jacobian (hidden, hidden)."""
    rng = np.random.default_rng(201)
    cases: list[Case] = [
        {"h": rng.uniform(-0.95, 0.95, n), "W": rng.normal(0, 0.7, (n, n))} for n in (4, 3, 6, 2)
    ]
    return compare(answer, cases, _jacobian, JACOBIAN_MISTAKES, shape="(hidden, hidden)")


def _delta(h: Array, dL_dh: Array) -> Array:
    return (1 - h**2) * dL_dh


FORGOTTEN = "The factor 1 - h_t^2 is missing: delta is dL/da, before the tanh."
TWICE = "h_t already is the tanh: you took it twice."
EARLY = "Off by one in time: the slope of this step's tanh is taken at h_t."
BPTT_MISTAKES = (
    Mistake(
        "Did you use W where its transpose belongs? Going back, each old unit sums over a column.",
        lambda h_t, h_before, x_t, W, dL_dh: W @ _delta(h_t, dL_dh),
    ),
    Mistake(FORGOTTEN, lambda h_t, h_before, x_t, W, dL_dh: W.T @ dL_dh),
    Mistake(TWICE, lambda h_t, h_before, x_t, W, dL_dh: W.T @ _delta(np.tanh(h_t), dL_dh)),
    Mistake("The factor 1 - h_t^2 belongs before the transpose of W, not after it.",
            lambda h_t, h_before, x_t, W, dL_dh: _delta(h_t, W.T @ dL_dh)),
    Mistake(EARLY, lambda h_t, h_before, x_t, W, dL_dh: W.T @ _delta(h_before, dL_dh)),
    Mistake("This is delta itself: it has still to go back through W.",
            lambda h_t, h_before, x_t, W, dL_dh: _delta(h_t, dL_dh)),
    Mistake("Off by one in time: this step's W was applied to the state before, not to h_t.",
            lambda h_t, h_before, x_t, W, dL_dh: np.outer(_delta(h_t, dL_dh), h_t), part=1),
    Mistake("Your outer product is transposed: entry [i, j] is unit i's delta with the old unit j.",
            lambda h_t, h_before, x_t, W, dL_dh: np.outer(h_before, _delta(h_t, dL_dh)), part=1),
    Mistake(FORGOTTEN, lambda h_t, h_before, x_t, W, dL_dh: np.outer(dL_dh, h_before), part=1),
    Mistake(EARLY,
            lambda h_t, h_before, x_t, W, dL_dh: np.outer(_delta(h_before, dL_dh), h_before),
            part=1),
    Mistake("W has an entry for each pair of units: an outer product, not one element by element.",
            lambda h_t, h_before, x_t, W, dL_dh: _delta(h_t, dL_dh) * h_before, part=1),
    Mistake("U was applied to this step's word x_t, not to a state.",
            lambda h_t, h_before, x_t, W, dL_dh: np.outer(_delta(h_t, dL_dh), h_before), part=2),
    Mistake("Your outer product is transposed: entry [i, j] is unit i's delta with input j.",
            lambda h_t, h_before, x_t, W, dL_dh: np.outer(x_t, _delta(h_t, dL_dh)), part=2),
    Mistake(FORGOTTEN, lambda h_t, h_before, x_t, W, dL_dh: np.outer(dL_dh, x_t), part=2),
    Mistake(EARLY,
            lambda h_t, h_before, x_t, W, dL_dh: np.outer(_delta(h_before, dL_dh), x_t), part=2),
)  # fmt: skip


@exercise("03", 1, "One step of BPTT", points=3, minutes=8, difficulty=2)
def bptt_step(answer: Any) -> str:
    """Check a function of (h_t, h_before, x_t, W, dL_dh): (dL_dh_before, term_W, term_U)."""
    rng = np.random.default_rng(202)
    cases: list[Case] = [
        {
            "h_t": rng.uniform(-0.95, 0.95, n),
            "h_before": rng.uniform(-0.95, 0.95, n),
            "x_t": rng.normal(size=inputs),
            "W": rng.normal(0, 0.7, (n, n)),
            "dL_dh": rng.normal(size=n),
        }
        for n, inputs in ((4, 4), (3, 5), (6, 2), (2, 3))
    ]
    names = ("dL_dh_before", "term_W", "term_U")
    return compare(answer, cases, measure.bptt_step, BPTT_MISTAKES, names=names)


def _walk(J: Array, v: Array, *, turn: bool = True, unit: bool = True) -> Array:
    """Lengths after each J^T v; turn: whether J is transposed; unit: whether v is rescaled."""
    lengths = []
    for jacobian in J:
        v = (jacobian.T if turn else jacobian) @ v
        lengths.append(np.linalg.norm(v))
        if unit:
            v = v / lengths[-1]
    return np.array(lengths)


def _log_factors(J: Array, v: Array) -> Array:
    return measure.log_factors(J, v)


FACTOR_MISTAKES = (
    Mistake("You began with the first step. Going back, the last step's Jacobian comes first.",
            lambda J, v: np.log(_walk(J, v))),
    Mistake("You used J. A gradient going back is multiplied by the transpose of J.",
            lambda J, v: np.log(_walk(J[::-1], v, turn=False))),
    Mistake("These are the logs of what is left after all steps so far: make v of length 1 again.",
            lambda J, v: np.log(_walk(J[::-1], v, unit=False))),
    Mistake("These are the factors themselves; return their logs, np.log(...).",
            lambda J, v: _walk(J[::-1], v)),
    Mistake("These are logs to base 10; np.log is the natural one.",
            lambda J, v: np.log10(_walk(J[::-1], v))),
    Mistake("Right numbers in the wrong order: the first entry belongs to the last step.",
            lambda J, v: np.log(_walk(J[::-1], v))[::-1]),
    Mistake("Every log is 0: the length was taken after v was made of length 1.",
            lambda J, v: np.zeros(len(J))),
    Mistake("This is the sum of the logs: return them all, one for each step.",
            lambda J, v: np.log(_walk(J[::-1], v)).sum()),
    Mistake("This is the mean of the logs: return them all, one for each step.",
            lambda J, v: np.log(_walk(J[::-1], v)).mean()),
    Mistake("This is the vector at the end: return the log of each step's length.",
            lambda J, v: np.linalg.multi_dot([v, *J[::-1]])),
)  # fmt: skip


@exercise("03", 3, "The factor of each step", points=3, minutes=7, difficulty=2)
def log_factors(answer: Any) -> str:
    """Check a function of (J, v), v of length 1, that returns the log of each step's factor."""
    rng = np.random.default_rng(203)

    def case(steps: int, hidden: int, scale: float) -> dict[str, Array]:
        v = rng.normal(size=hidden)
        J = scale * rng.normal(size=(steps, hidden, hidden))
        return {"J": J, "v": v / np.linalg.norm(v)}

    cases: list[Case] = [case(3, 3, 0.6), case(6, 4, 0.3), case(1, 2, 1.0)]
    said = compare(answer, cases, _log_factors, FACTOR_MISTAKES, shape="(steps,)")
    long = case(900, 3, 0.2)
    (found,) = attempt(answer, [long], one_array)[0].value
    if not close(found, _log_factors(**long)):
        raise Verdict(
            WRONG_VALUES,
            "Right for a few steps, but not over 900: what is left of v there is too small.",
            "Make v of length 1 after every step, and it never gets small.",
        )
    return f"{said}\nIt also holds over 900 steps, where v itself would have rounded to 0."
