"""Exercises of notebook 03: one step of BPTT, one step's Jacobian, the factor of each step."""

from __future__ import annotations

from typing import Any

import numpy as np

from helpers import measure
from helpers.checks.attempt import Case, attempt
from helpers.checks.compare import close, compare, one_array, random_cases
from helpers.checks.registry import exercise
from helpers.checks.results import WRONG_VALUES, Verdict
from helpers.validation import Array


def _jacobian_mistakes(h, W):
    slope = 1 - h**2
    return [
        ("You scaled the columns of W. Which index of W belongs to the unit whose slope it is?",
         W * slope),
        ("Your result is transposed: entry [i, j] is unit i by the old unit j.", W.T * slope),
        ("Your result is built from the transpose of W.", slope[:, None] * W.T),
        ("Where is the derivative of tanh? This is W alone.", W),
        ("You scaled by h itself; the slope of tanh is another function of h.", h[:, None] * W),
        ("You scaled by 1 - h: the slope of tanh holds a square.", (1 - h)[:, None] * W),
        ("h already is the tanh: you took it twice.", (1 - np.tanh(h) ** 2)[:, None] * W),
        ("Only the diagonal is left. diag(...) W is a matrix product, not one element by element.",
         np.diag(slope) * W),
        ("A vector times W sums over the rows; here each row is to be scaled and kept.", slope @ W),
        ("W times the slopes sums each row up; here each row is to be scaled and kept.", W @ slope),
    ]  # fmt: skip


@exercise("03", 2, "The Jacobian of one step", points=2, minutes=4, difficulty=2)
def step_jacobian(answer: Any) -> str:
    """Check a function of (h, W) that returns a Jacobian (hidden, hidden)."""
    cases = random_cases(201, ({"h": (n,), "W": (n, n)} for n in (4, 3, 6, 2)))
    shape = "(hidden, hidden)"
    return compare(answer, cases, measure.step_jacobian, _jacobian_mistakes, shape=shape)


FORGOTTEN = "The factor 1 - h_t^2 is missing: delta is dL/da, before the tanh."
TWICE = "h_t already is the tanh: you took it twice."
EARLY = "Off by one in time: the slope of this step's tanh is taken at h_t."


def _before_mistakes(h_t, h_before, x_t, W, dL_dh):
    delta = (1 - h_t**2) * dL_dh
    return [
        ("Did you use W where its transpose belongs? Going back, each old unit sums over a column.",
         W @ delta),
        (FORGOTTEN, W.T @ dL_dh),
        (TWICE, W.T @ ((1 - np.tanh(h_t) ** 2) * dL_dh)),
        ("The factor 1 - h_t^2 belongs before the transpose of W, not after it.",
         (1 - h_t**2) * (W.T @ dL_dh)),
        (EARLY, W.T @ ((1 - h_before**2) * dL_dh)),
        ("This is delta itself: it has still to go back through W.", delta),
    ]  # fmt: skip


def _W_mistakes(h_t, h_before, x_t, W, dL_dh):
    delta = (1 - h_t**2) * dL_dh
    return [
        ("Off by one in time: this step's W was applied to the state before, not to h_t.",
         np.outer(delta, h_t)),
        ("Your outer product is transposed: entry [i, j] is unit i's delta with the old unit j.",
         np.outer(h_before, delta)),
        (FORGOTTEN, np.outer(dL_dh, h_before)),
        (EARLY, np.outer((1 - h_before**2) * dL_dh, h_before)),
        ("W has an entry for each pair of units: an outer product, not one element by element.",
         delta * h_before),
    ]  # fmt: skip


def _U_mistakes(h_t, h_before, x_t, W, dL_dh):
    delta = (1 - h_t**2) * dL_dh
    return [
        ("U was applied to this step's word x_t, not to a state.", np.outer(delta, h_before)),
        ("Your outer product is transposed: entry [i, j] is unit i's delta with input j.",
         np.outer(x_t, delta)),
        (FORGOTTEN, np.outer(dL_dh, x_t)),
        (EARLY, np.outer((1 - h_before**2) * dL_dh, x_t)),
    ]  # fmt: skip


@exercise("03", 1, "One step of BPTT", points=3, minutes=8, difficulty=2)
def bptt_step(answer: Any) -> str:
    """Check a function of (h_t, h_before, x_t, W, dL_dh): (dL_dh_before, term_W, term_U)."""
    cases = random_cases(202, (
        {"h_t": (n,), "h_before": (n,), "x_t": (inputs,), "W": (n, n), "dL_dh": (n,)}
        for n, inputs in ((4, 4), (3, 5), (6, 2), (2, 3))
    ))  # fmt: skip
    mistakes = _before_mistakes, _W_mistakes, _U_mistakes
    names = ("dL_dh_before", "term_W", "term_U")
    return compare(answer, cases, measure.bptt_step, *mistakes, names=names)


def _log_factors(J, v):
    return measure.log_factors(J, v)


def _factor_mistakes(J, v):
    logs = measure.log_factors(J, v)
    return [
        ("You began with the first step. Going back, the last step's Jacobian comes first.",
         measure.log_factors(J[::-1], v)),
        ("You used J. A gradient going back is multiplied by the transpose of J.",
         measure.log_factors(J.transpose(0, 2, 1), v)),
        ("These are the logs of what is left after all steps so far: make v of length 1 again.",
         np.cumsum(logs)),
        ("These are the factors themselves; return their logs, np.log(...).", np.exp(logs)),
        ("These are logs to base 10; np.log is the natural one.", logs / np.log(10)),
        ("Right numbers in the wrong order: the first entry belongs to the last step.", logs[::-1]),
        ("Every log is 0: the length was taken after v was made of length 1.", 0 * logs),
        ("This is the sum of the logs: return them all, one for each step.", logs.sum()),
        ("This is the mean of the logs: return them all, one for each step.", logs.mean()),
        ("This is the vector at the end: return the log of each step's length.",
         np.linalg.multi_dot([v, *J[::-1]])),
    ]  # fmt: skip


@exercise("03", 3, "The factor of each step", points=3, minutes=7, difficulty=2)
def log_factors(answer: Any) -> str:
    """Check a function of (J, v), v of length 1, that returns the log of each step's factor."""
    rng = np.random.default_rng(203)

    def case(steps: int, hidden: int, scale: float) -> dict[str, Array]:
        v = rng.normal(size=hidden)
        J = scale * rng.normal(size=(steps, hidden, hidden))
        return {"J": J, "v": v / np.linalg.norm(v)}

    cases: list[Case] = [case(3, 3, 0.6), case(6, 4, 0.3), case(1, 2, 1.0)]
    said = compare(answer, cases, _log_factors, _factor_mistakes, shape="(steps,)")
    long = case(900, 3, 0.2)
    (found,) = attempt(answer, [long], one_array)[0].value
    if not close(found, _log_factors(**long)):
        raise Verdict(
            WRONG_VALUES,
            "Right for a few steps, but not over 900: what is left of v there is too small.",
            "Make v of length 1 after every step, and it never gets small.",
        )
    return f"{said}\nIt also holds over 900 steps, where v itself would have rounded to 0."
