"""Answers to notebook 03's exercises: right ones written differently, wrong ones named."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from helpers import checks
from helpers.checks.results import FAILED, RIGHT, WRONG_SHAPE, WRONG_VALUES


def slope(h, g):
    return (1 - h**2) * g


def bptt_in_torch(h_t, h_before, x_t, W, dL_dh):
    delta = (1 - h_t.square()) * dL_dh
    return [W.T.matmul(delta), torch.outer(delta, h_before), delta[:, None] * x_t]


def bptt_in_loops(h_t, h_before, x_t, W, dL_dh):
    units, inputs = range(len(h_t)), range(len(x_t))
    delta = [(1 - h_t[i] ** 2) * dL_dh[i] for i in units]
    before = [sum(W[i, j] * delta[i] for i in units) for j in units]
    term_W = [[delta[i] * h_before[j] for j in units] for i in units]
    return before, term_W, np.array([[delta[i] * x_t[j] for j in inputs] for i in units])


def bptt_by_autograd(h_t, h_before, x_t, W, dL_dh):
    h_t, h_before, x_t, W, dL_dh = map(torch.as_tensor, (h_t, h_before, x_t, W, dL_dh))
    rest = torch.atanh(h_t) - W @ h_before
    leaves = [h_before, W, torch.zeros(len(h_t), len(x_t), dtype=torch.float64)]
    leaves = [leaf.clone().requires_grad_() for leaf in leaves]
    a = leaves[1] @ leaves[0] + rest + leaves[2] @ x_t
    torch.tanh(a).backward(dL_dh)
    return [leaf.grad for leaf in leaves]


@pytest.mark.parametrize(
    "answer",
    [
        lambda h, p, x, W, g: (slope(h, g) @ W, slope(h, g)[:, None] * p, np.outer(slope(h, g), x)),
        bptt_in_torch,
        bptt_in_loops,
        bptt_by_autograd,
    ],
)
def test_bptt_step_accepts(answer):
    assert checks.bptt_step(answer).status == RIGHT, checks.bptt_step(answer)


def bptt(before=None, term_W=None, term_U=None):
    """A step of BPTT with one part replaced by a wrong formula."""

    def answer(h, p, x, W, g):
        right = (W.T @ slope(h, g), np.outer(slope(h, g), p), np.outer(slope(h, g), x))
        wrong = (before, term_W, term_U)
        return tuple(
            r if f is None else f(h, p, x, W, g) for r, f in zip(right, wrong, strict=True)
        )

    return answer


@pytest.mark.parametrize(
    ("answer", "status", "says"),
    [
        (bptt(lambda h, p, x, W, g: W @ slope(h, g)), WRONG_VALUES, "dL_dh_before: Did you use W"),
        (bptt(lambda h, p, x, W, g: W.T @ g), WRONG_VALUES, "dL_dh_before: The factor 1 - h_t^2"),
        (bptt(lambda h, p, x, W, g: slope(h, W.T @ g)), WRONG_VALUES, "before the transpose of W"),
        (bptt(lambda h, p, x, W, g: W.T @ slope(p, g)), WRONG_VALUES, "Off by one in time"),
        (bptt(lambda h, p, x, W, g: W.T @ slope(np.tanh(h), g)), WRONG_VALUES, "you took it twice"),
        (bptt(lambda h, p, x, W, g: slope(h, g)), WRONG_VALUES, "still to go back"),
        (bptt(None, lambda h, p, x, W, g: np.outer(p, slope(h, g))), WRONG_VALUES, "transposed"),
        (
            bptt(None, lambda h, p, x, W, g: np.outer(slope(h, g), h)),
            WRONG_VALUES,
            "term_W: Off by",
        ),
        (bptt(None, lambda h, p, x, W, g: np.outer(g, p)), WRONG_VALUES, "term_W: The factor"),
        (bptt(None, lambda h, p, x, W, g: slope(h, g) * p), WRONG_SHAPE, "an outer product"),
        (
            bptt(None, None, lambda h, p, x, W, g: np.outer(g, x)),
            WRONG_VALUES,
            "term_U: The factor",
        ),
        (bptt(None, None, lambda h, p, x, W, g: np.outer(slope(h, g), p)), WRONG_SHAPE, "x_t, not"),
        (bptt(None, None, lambda h, p, x, W, g: np.outer(x, slope(h, g))), WRONG_SHAPE, "input j"),
        (lambda h, p, x, W, g: W.T @ slope(h, g), WRONG_SHAPE, "(dL_dh_before, term_W, term_U)"),
        (lambda *given: None, FAILED, "None"),
    ],
)
def test_bptt_step_names(answer, status, says):
    result = checks.bptt_step(answer)
    assert result.status == status, result
    assert says in str(result)


def jacobian_by_autograd(h, W):
    before = torch.zeros(len(h), dtype=torch.float64)
    offset = torch.atanh(torch.as_tensor(h))
    weight = torch.as_tensor(W)
    return torch.autograd.functional.jacobian(lambda h: torch.tanh(weight @ h + offset), before)


def jacobian_in_loops(h, W):
    J = W.copy()
    for i in range(len(h)):
        for j in range(len(h)):
            J[i, j] *= 1 - h[i] ** 2
    return J


@pytest.mark.parametrize(
    "answer",
    [
        lambda h, W: (1 - h**2)[:, None] * W,
        lambda h, W: torch.diag(1 - h**2) @ W,
        jacobian_by_autograd,
        jacobian_in_loops,
    ],
)
def test_step_jacobian_accepts(answer):
    assert checks.step_jacobian(answer).status == RIGHT, checks.step_jacobian(answer)


@pytest.mark.parametrize(
    ("answer", "status", "says"),
    [
        (lambda h, W: W * (1 - h**2), WRONG_VALUES, "scaled the columns"),
        (lambda h, W: (np.diag(1 - h**2) @ W).T, WRONG_VALUES, "is transposed"),
        (lambda h, W: np.diag(1 - h**2) @ W.T, WRONG_VALUES, "the transpose of W"),
        (lambda h, W: W, WRONG_VALUES, "Where is the derivative"),
        (lambda h, W: np.diag(h) @ W, WRONG_VALUES, "by h itself"),
        (lambda h, W: np.diag(1 - h) @ W, WRONG_VALUES, "a square"),
        (lambda h, W: np.diag(1 - np.tanh(h) ** 2) @ W, WRONG_VALUES, "twice"),
        (lambda h, W: np.diag(1 - h**2) * W, WRONG_VALUES, "Only the diagonal is left"),
        (lambda h, W: (1 - h**2) @ W, WRONG_SHAPE, "sums over the rows"),
        (lambda h, W: W @ (1 - h**2), WRONG_SHAPE, "sums each row up"),
    ],
)
def test_step_jacobian_names(answer, status, says):
    result = checks.step_jacobian(answer)
    assert result.status == status, result
    assert says in str(result)


def walk(J, v, *, turn=True, unit=True):
    lengths = []
    for jacobian in J:
        v = (jacobian.T if turn else jacobian) @ v
        lengths.append(np.linalg.norm(v))
        if unit:
            v = v / lengths[-1]
    return np.array(lengths)


def factors_in_torch(J, v):
    logs = []
    for jacobian in reversed(J):
        v = v @ jacobian
        logs.append(v.norm().log())
        v = v / v.norm()
    return torch.stack(logs)


def factors_into_a_list(J, v):
    logs = []
    for t in range(len(J) - 1, -1, -1):
        v = J[t].T @ v
        logs.append(0.5 * np.log(v @ v))
        v /= np.sqrt(v @ v)
    return logs


def factors_by_recursion(J, v):
    found = np.zeros(len(J))
    for k in range(1, len(J) + 1):
        v = J[-k].T @ v / (np.exp(found[k - 2]) if k > 1 else 1)
        found[k - 1] = np.log(np.linalg.norm(v))
    return found


def differences_of_logs(J, v):
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.diff(np.log(walk(J[::-1], v, unit=False)), prepend=0.0)


@pytest.mark.parametrize(
    "answer",
    [
        lambda J, v: np.log(walk(J[::-1], v)),
        factors_in_torch,
        factors_into_a_list,
        factors_by_recursion,
    ],
)
def test_log_factors_accepts(answer):
    assert checks.log_factors(answer).status == RIGHT, checks.log_factors(answer)


@pytest.mark.parametrize(
    ("answer", "status", "says"),
    [
        (lambda J, v: np.log(walk(J, v)), WRONG_VALUES, "You began with the first step"),
        (lambda J, v: np.log(walk(J[::-1], v, turn=False)), WRONG_VALUES, "You used J."),
        (lambda J, v: np.log(walk(J[::-1], v, unit=False)), WRONG_VALUES, "left after all steps"),
        (lambda J, v: walk(J[::-1], v), WRONG_VALUES, "the factors themselves"),
        (lambda J, v: np.log10(walk(J[::-1], v)), WRONG_VALUES, "base 10"),
        (lambda J, v: np.log(walk(J[::-1], v))[::-1], WRONG_VALUES, "in the wrong order"),
        (lambda J, v: np.zeros(len(J)), WRONG_VALUES, "Every log is 0"),
        (lambda J, v: np.log(walk(J[::-1], v)).sum(), WRONG_SHAPE, "the sum of the logs"),
        (lambda J, v: np.log(walk(J[::-1], v)).mean(), WRONG_SHAPE, "the mean of the logs"),
        (differences_of_logs, WRONG_VALUES, "not over 900"),
        (lambda J, v: None, FAILED, "None"),
    ],
)
def test_log_factors_names(answer, status, says):
    result = checks.log_factors(answer)
    assert result.status == status, result
    assert says in str(result)
