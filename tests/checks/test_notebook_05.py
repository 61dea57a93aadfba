"""Answers to notebook 05's exercises: right ones written differently, wrong ones named."""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np
import pytest
import torch
from planted import planted_tests, value
from torch.nn.functional import cross_entropy

from helpers import measure, training
from helpers.checks.notebook_05 import HIDDEN, SICKNESSES, sick_runs
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


def log_row(model, tokens, labels, *, reduction="mean", clear=True):
    """The row as a learner may write it."""
    if clear:
        model.zero_grad()
    loss = cross_entropy(model(tokens), labels, reduction=reduction)
    loss.backward()
    gradients = [p.grad.flatten() for p in model.parameters() if p.grad is not None]
    states, signal = model.states(tokens), measure.signal(model, tokens)
    return {
        "loss": loss.detach(),
        "norm": torch.cat(gradients).norm() if gradients else 0.0,
        "saturated": float(((states > 0.99) | (states < -0.99)).float().mean()),
        "reach": np.mean(signal[:, 0] / signal[:, -1]),
    }


def norms(model):
    return [float(p.grad.norm()) for p in model.parameters() if p.grad is not None]


def changed(key, make):
    """A learner's function whose row has another value: of model, states, signal."""

    def answer(model, tokens, labels):
        row = log_row(model, tokens, labels)
        return row | {key: make(model, model.states(tokens), measure.signal(model, tokens))}

    return answer


def left_behind(make):
    """A learner's function that is right and leaves other gradients behind."""

    def answer(model, tokens, labels):
        row = log_row(model, tokens, labels)
        for parameter in model.parameters():
            if parameter.grad is not None:
                parameter.grad = make(parameter.grad)
        return row

    return answer


def by_hand(model, tokens, labels):
    for parameter in model.parameters():
        parameter.grad = None
    loss = cross_entropy(model(tokens), labels)
    grads = torch.autograd.grad(loss, list(model.parameters()), allow_unused=True)
    for parameter, gradient in zip(model.parameters(), grads, strict=True):
        parameter.grad = gradient
    return {**log_row(model, tokens, labels), "loss": loss.item()}


RIGHT = {
    "first_inf": [
        first_inf_in_loops,
        first_inf_in_torch,
        lambda states: next((t for t, row in enumerate(states) if np.isinf(row).any()), None),
        lambda states: min(np.argwhere(np.abs(states) == np.inf)[:, 0], default=None),
    ],
    "log_row": [
        log_row,
        by_hand,
        changed("norm", lambda model, *_: math.hypot(*norms(model))),
        # the last word's signal is the readout's, the same for all sentences
        changed("reach", lambda model, states, s: s[:, 0].mean() / s[:, -1].mean()),
    ],
    "diagnose": [lambda: HIDDEN, lambda: dict(reversed(HIDDEN.items()))],
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
        (lambda s: first(where_inf(s[:, 1:])), "every column"),
        (lambda s: first(where_inf(s[:, :1])), "every column"),
        (lambda s: first(where_inf(s[:-1])), "-inf and NaN, it returned None"),
        (lambda s: 3, "without inf and NaN, it returned 3, and the largest"),
        (lambda s: 2.5, "a whole number", FAILED),
        (lambda s: np.arange(3), "one number is needed", WRONG_SHAPE),
    ],
    "log_row": [
        (lambda *given: log_row(*given, clear=False), "is zero_grad there?"),
        (lambda *given: log_row(*given, reduction="sum"), "the mean is asked for"),
        (lambda m, *given: (m.zero_grad(), training.log_row(m, *given), m.zero_grad())[1],
         "They are gone"),
        (changed("norm", lambda m, h, s: sum(norms(m))), "you added the norms"),
        (changed("norm", lambda m, h, s: max(norms(m))), "all of them count"),
        (changed("norm", lambda m, h, s: np.mean(norms(m))), "the mean of the tensors' norms"),
        (changed("norm", lambda m, h, s: math.hypot(*norms(m)) ** 2), "Is the square root missing"),
        (changed("norm", lambda m, h, s: 1.0), "is right."),
        (changed("saturated", lambda m, h, s: (h > 0.99).float().mean()), "stuck at -1 as well"),
        (changed("saturated", lambda m, h, s: 100 * (h.abs() > 0.99).float().mean()), "in percent"),
        (changed("saturated", lambda m, h, s: h.abs().mean()), "count those beyond 0.99"),
        (changed("saturated", lambda m, h, s: (h.abs() > 0.99).sum()), "their share is asked for"),
        (changed("saturated", lambda m, h, s: (h[:, -1].abs() > 0.99).float().mean()),
         "the last state alone"),
        (changed("saturated", lambda m, h, s: (h.abs() <= 0.99).float().mean()), "*not* saturated"),
        (changed("reach", lambda m, h, s: np.mean(s[0] / s[-1])), "along the second axis"),
        (changed("reach", lambda m, h, s: np.mean(s[:, -1] / s[:, 0])), "upside down"),
        (changed("reach", lambda m, h, s: s[0, 0] / s[0, -1]), "average over all"),
        (changed("reach", lambda m, h, s: s[:, 0].mean()), "divide by the last word's"),
        (changed("reach", lambda m, h, s: s[:, 0]), "'reach' is an array of shape", WRONG_SHAPE),
        (left_behind(lambda gradient: gradient / 2), "were they clipped?"),
        (left_behind(lambda gradient: 2 * gradient), "backward was called twice"),
        (lambda *given: tuple(log_row(*given).values()), "return a dict", FAILED),
        (lambda *given: {"loss": 1.0}, "The dict has no 'norm'", FAILED),
    ],
    "diagnose": [
        (lambda: {}, "Return a dict with the keys", FAILED),
        (lambda: dict.fromkeys("ABCD", "vanishing"), "the same illness", FAILED),
        (lambda: HIDDEN | {"A": "a cold"}, "which is none of", FAILED),
        *((value(HIDDEN | {a: HIDDEN[b], b: HIDDEN[a]}), f"{a} is no {HIDDEN[b]}: ")
          for a, b in permutations(HIDDEN, 2)),
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def logs():
    return sick_runs(training.log_row)


@pytest.fixture(autouse=True)
def _trained_once(logs, monkeypatch):
    monkeypatch.setattr("helpers.checks.notebook_05.sick_runs", lambda log_row: logs)


test_right, test_wrong = planted_tests(RIGHT, WRONG)


def test_each_run_shows_its_own_mark_and_no_other(logs):
    for letter, rows in logs.items():
        last = {key: float(values[-1]) for key, values in rows.items()}
        shown = {name for name, sickness in SICKNESSES.items() if sickness.mark(last)}
        assert shown == {HIDDEN[letter]}
