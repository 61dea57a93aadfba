"""Answers to notebook 05's exercises: right ones written differently, wrong ones named."""

from __future__ import annotations

import math

import numpy as np
import torch
from planted import check_right, check_wrong, right, rows, wrong

from helpers.checks.results import FAILED, WRONG_SHAPE


def first_inf_in_loops(states):
    for step in range(len(states)):
        for entry in states[step]:
            if entry in (math.inf, -math.inf):
                return step
    return None


def first_inf_in_torch(states):
    found = torch.nonzero(torch.isinf(torch.as_tensor(states)).any(dim=1))
    return found[0] if len(found) else None


def where_inf(states):
    return np.flatnonzero(np.isinf(states).any(axis=1))


def first(steps):
    return int(steps[0]) if len(steps) else None


RIGHT = {
    "first_inf": [
        first_inf_in_loops,
        first_inf_in_torch,
        lambda states: next((t for t, row in enumerate(states) if np.isinf(row).any()), None),
        lambda states: min(np.argwhere(np.abs(states) == np.inf)[:, 0], default=None),
    ],
    "growth_for": [
        lambda step, largest: largest ** (1 / (step - 0.5)),
        lambda step, largest: math.exp(math.log(largest) / (step - 0.3)),
        lambda step, largest: (
            torch.tensor(10.0, dtype=torch.float64) ** (math.log10(largest) / (step - 0.7))
        ),
        lambda step, largest: np.exp2([np.log2(largest) / (step - 0.5)]),
    ],
}
INF = rows(
    "first_inf",
    ("NaN too", lambda s: first(np.flatnonzero(~np.isfinite(s).all(axis=1))),
     "You count NaN as well"),
    ("NaN only", lambda s: first(np.flatnonzero(np.isnan(s).any(axis=1))), "You look for NaN"),
    ("+inf only", lambda s: first(np.flatnonzero((s == np.inf).any(axis=1))), "-inf"),
    ("last", lambda s: first(where_inf(s)[::-1]), "the last step"),
    ("from 1", lambda s: first(where_inf(s) + 1), "counted from 0"),
    ("too early", lambda s: first(where_inf(s) - 1), "too early"),
    ("argmax", lambda s: np.isinf(s).any(axis=1).argmax(), "as argmax does"),
    ("-1", lambda s: first([*where_inf(s), -1]), "it says -1"),
    ("flat", lambda s: first(np.flatnonzero(np.isinf(s))), "flattened"),
    ("all of a row", lambda s: first(np.flatnonzero(np.isinf(s).all(axis=1))), "one is enough"),
    ("0 lost", lambda s: first(where_inf(s)) or None, "counts as False"),
    ("threshold", lambda s: first(np.flatnonzero((np.abs(s) > 1e30).any(axis=1))),
     "the largest number of that step, 1.0e+300, is finite"),
    ("float32", lambda s: first(np.flatnonzero((np.abs(s) > 3.4e38).any(axis=1))),
     "the largest number of that step, 1.0e+300, is finite"),
    ("not column 0", lambda s: first(where_inf(s[:, 1:])), "every column"),
    ("column 0", lambda s: first(where_inf(s[:, :1])), "every column"),
    ("not the last step", lambda s: first(where_inf(s[:-1])), "-inf and NaN, it returned None"),
    ("always 3", lambda s: 3, "without inf and NaN, it returned 3, and the largest"),
    ("half a step", lambda s: 2.5, "a whole number", FAILED),
    ("all steps", lambda s: np.arange(3), "one step, or None", WRONG_SHAPE),
)  # fmt: skip
GROWTH = rows(
    "growth_for",
    ("on the edge", lambda step, m: m ** (1 / step), "at `step` is the largest number"),
    ("one early", lambda step, m: m ** (1 / (step - 1)), "one step before `step`"),
    ("one late", lambda step, m: m ** (1 / (step + 1)), "still finite"),
    ("no exp", lambda step, m: math.log(m) / step, "with exp"),
    ("bases", lambda step, m: math.exp(math.log10(m) / step), "Two bases"),
    ("other bases", lambda step, m: math.exp(math.log2(m) / step), "Two bases"),
    ("divided", lambda step, m: m / step, "take a root"),
    ("at the edge by hand", lambda step, m: m ** (1 / step) * (1 + 1e-14),
     "at `step` is the largest number"),
    ("edge of one format", lambda step, m: m ** (1 / (step if m > 1e300 else step - 0.5)),
     "Its power at step 28 is the largest number itself. There rounding decides"),
    ("infinite", lambda step, m: math.inf, "A growth must be a finite number above 1."),
    ("constant", lambda step, m: 1.5, "overflow first at step 219"),
    ("below 1", lambda step, m: 0.5, "above 1"),
    ("two", lambda step, m: [1.5, 2.0], "one number is needed", WRONG_SHAPE),
    ("float32 in between", lambda step, m: (torch.tensor(m) ** (1 / (step - 0.5))).item(),
     "In float32 this `largest` is inf already"),
    ("on the edge in float32", lambda step, m: torch.tensor(m) ** (1 / (step + 1)),
     "overflow first at step 30: it is too small"),
    ("a word", lambda step, m: "1.5", "type str; a real number is needed", FAILED),
)  # fmt: skip
WRONG = [*INF, *GROWTH]


@right(RIGHT)
def test_a_right_answer_passes(name, answer):
    check_right(name, answer)


@wrong(WRONG)
def test_a_wrong_answer_is_told_what_was_seen(planted):
    check_wrong(planted)
