"""The logger's check and the four sick runs: planted mistakes, and logs that show their marks."""

import math
import sys

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from helpers import checks, measure, training
from helpers.checks.sick_runs import HIDDEN, SICKNESSES, sick_runs


def log_row(model, tokens, labels, *, reduction="mean", clear=True, backward=1, change=None):
    """The row as a learner may write it; change: of the finished row, in place."""
    if clear:
        model.zero_grad()
    for _ in range(backward):
        loss = cross_entropy(model(tokens), labels, reduction=reduction)
        loss.backward()
    gradients = [p.grad.flatten() for p in model.parameters() if p.grad is not None]
    states, signal = model.states(tokens), measure.signal(model, tokens)
    row = {
        "loss": loss,
        "norm": torch.cat(gradients).norm() if gradients else 0.0,
        "saturated": float(((states > 0.99) | (states < -0.99)).float().mean()),
        "reach": np.mean(signal[:, 0] / signal[:, -1]),
    }
    if change is not None:
        change(row, model, states, signal)
    return row


def norms(model):
    return [float(p.grad.norm()) for p in model.parameters() if p.grad is not None]


def changed(**new):
    """A learner's function whose row has other values: functions of model, states, signal."""

    def change(row, *seen):
        row.update({key: make(*seen) for key, make in new.items()})

    return lambda model, tokens, labels: log_row(model, tokens, labels, change=change)


def left_behind(make):
    """A learner's function that is right and leaves other gradients behind."""

    def answer(model, tokens, labels):
        row = {
            key: float(torch.as_tensor(value).detach())
            for key, value in log_row(model, tokens, labels).items()
        }
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


@pytest.mark.parametrize(
    "answer",
    [
        log_row,
        by_hand,
        training.log_row,
        changed(norm=lambda model, *_: math.hypot(*norms(model))),
        # the last word's signal is the readout's, the same for all sentences
        changed(reach=lambda model, states, signal: signal[:, 0].mean() / signal[:, -1].mean()),
    ],
)
def test_right(answer):
    result = checks.log_row(answer)
    assert result.passed, result
    assert result.use(instead=training.log_row) is answer


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda *a: log_row(*a, clear=False), "is zero_grad there?"),
        (lambda *a: log_row(*a, backward=2), "is zero_grad there?"),
        (lambda *a: log_row(*a, reduction="sum"), "the mean is asked for"),
        (changed(norm=lambda m, *_: sum(norms(m))), "you added the norms"),
        (changed(norm=lambda m, *_: max(norms(m))), "all of them count"),
        (changed(norm=lambda m, *_: math.hypot(*norms(m)) ** 2), "Is the square root missing?"),
        (changed(saturated=lambda m, h, s: (h > 0.99).float().mean()), "stuck at -1 as well"),
        (
            changed(saturated=lambda m, h, s: 100 * (h.abs() > 0.99).float().mean()),
            "It is in percent",
        ),
        (changed(saturated=lambda m, h, s: h.abs().mean()), "count those beyond 0.99"),
        (changed(saturated=lambda m, h, s: (h.abs() > 0.99).sum()), "their share is asked for"),
        (changed(reach=lambda m, h, s: np.mean(s[0] / s[-1])), "along the second axis"),
        (left_behind(lambda gradient: None), "They are gone"),
        (left_behind(lambda gradient: gradient / 2), "were they clipped?"),
        (left_behind(lambda gradient: 2 * gradient), "backward was called twice"),
        (changed(reach=lambda m, h, s: np.mean(s[:, -1] / s[:, 0])), "upside down"),
        (changed(reach=lambda m, h, s: s[0, 0] / s[0, -1]), "average over all"),
        (changed(reach=lambda m, h, s: s[:, 0].mean()), "divide by the last word's"),
        (changed(reach=lambda m, h, s: s[:, 0]), "'reach' is a ndarray of shape"),
        (lambda *a: tuple(log_row(*a).values()), "return a dict"),
        (lambda *a: {"loss": 1.0}, "The dict has no 'norm'"),
        (changed(norm=lambda *_: 1.0), "where"),
    ],
)
def test_wrong(answer, says):
    result = checks.log_row(answer)
    assert not result.passed
    assert says in result.message
    assert result.use(instead=training.log_row) is training.log_row


def test_a_stub_is_no_attempt():
    def stub(model, tokens, labels):
        raise NotImplementedError

    assert checks.log_row(stub).status == "not attempted"


def test_each_run_shows_its_own_mark_and_no_other():
    logs = sick_runs(training.log_row)
    for letter, rows in logs.items():
        shown = {name for name, sickness in SICKNESSES.items() if sickness.mark(rows)}
        assert shown == {HIDDEN[letter]}


def test_the_right_diagnosis_and_each_swap(monkeypatch):
    logs = sick_runs(training.log_row)
    monkeypatch.setattr(sys.modules[sick_runs.__module__], "sick_runs", lambda log_row: logs)
    assert checks.diagnose(lambda: dict(HIDDEN)).passed
    letters = list(HIDDEN)
    for i, one in enumerate(letters):
        for other in letters[i + 1 :]:
            swapped = {**HIDDEN, one: HIDDEN[other], other: HIDDEN[one]}
            result = checks.diagnose(lambda swapped=swapped: swapped)
            assert not result.passed
            assert f"{one} is no {HIDDEN[other]}" in result.message
            assert f"{other} is no {HIDDEN[one]}" in result.message


@pytest.mark.parametrize(
    ("claims", "says"),
    [
        ({}, "Return a dict with the keys"),
        (dict.fromkeys("ABCD", "vanishing"), "the same illness"),
        ({**HIDDEN, "A": "a cold"}, "which is none of"),
        (None, "return"),
    ],
)
def test_no_diagnosis(claims, says):
    result = checks.diagnose(lambda: claims)
    assert not result.passed
    assert says in result.message
