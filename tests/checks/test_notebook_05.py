"""Answers to notebook 05's exercises: right ones written differently, wrong ones named."""

from __future__ import annotations

import math

import numpy as np
import torch
from planted import planted_tests

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
}
WRONG = {
    "first_inf": [
        (lambda s: first(np.flatnonzero(~np.isfinite(s).all(axis=1))), "You count NaN as well"),
        (lambda s: first(np.flatnonzero(np.isnan(s).any(axis=1))), "You look for NaN"),
        (lambda s: first(np.flatnonzero((s == np.inf).any(axis=1))), "-inf"),
        (lambda s: first(where_inf(s)[::-1]), "the last step"),
        (lambda s: first(where_inf(s) + 1), "counted from 0"),
        (lambda s: first(where_inf(s) - 1), "too early"),
        (lambda s: np.isinf(s).any(axis=1).argmax(), "as argmax does"),
        (lambda s: first([*where_inf(s), -1]), "it says -1"),
        (lambda s: first(np.flatnonzero(np.isinf(s))), "flattened"),
        (lambda s: first(np.flatnonzero(np.isinf(s).all(axis=1))), "one is enough"),
        (lambda s: first(where_inf(s)) or None, "counts as False"),
        (lambda s: first(np.flatnonzero((np.abs(s) > 1e30).any(axis=1))),
         "the largest number of that step, 1.0e+300, is finite"),
        (lambda s: first(np.flatnonzero((np.abs(s) > 3.4e38).any(axis=1))),
         "the largest number of that step, 1.0e+300, is finite"),
        (lambda s: first(where_inf(s[:, 1:])), "every column"),
        (lambda s: first(where_inf(s[:, :1])), "every column"),
        (lambda s: first(where_inf(s[:-1])), "-inf and NaN, it returned None"),
        (lambda s: 3, "without inf and NaN, it returned 3, and the largest"),
        (lambda s: 2.5, "a whole number", FAILED),
        (lambda s: np.arange(3), "one number is needed", WRONG_SHAPE),
    ],
}  # fmt: skip

test_right, test_wrong = planted_tests(RIGHT, WRONG)
