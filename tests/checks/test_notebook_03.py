"""Answers to notebook 03's exercises: right ones written differently, wrong ones named."""

from __future__ import annotations

import numpy as np
import torch
from planted import planted_tests

from helpers.checks.results import FAILED, WRONG_SHAPE


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


def bptt(part, wrong):
    """A step of BPTT with one of its three parts by another formula of (h, p, x, W, g)."""

    def answer(h, p, x, W, g):
        parts = [W.T @ slope(h, g), np.outer(slope(h, g), p), np.outer(slope(h, g), x)]
        parts[part] = wrong(h, p, x, W, g)
        return tuple(parts)

    return answer


def jacobian_by_autograd(h, W):
    before = torch.zeros(len(h), dtype=torch.float64)
    offset, weight = torch.atanh(torch.as_tensor(h)), torch.as_tensor(W)
    return torch.autograd.functional.jacobian(lambda h: torch.tanh(weight @ h + offset), before)


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


def the_vector_itself(J, v):
    for jacobian in J[::-1]:
        v = jacobian.T @ v
    return v


def differences_of_logs(J, v):
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.diff(np.log(walk(J[::-1], v, unit=False)), prepend=0.0)


RIGHT = {
    "bptt_step": [
        lambda h, p, x, W, g: (slope(h, g) @ W, slope(h, g)[:, None] * p, np.outer(slope(h, g), x)),
        bptt_in_torch,
        bptt_in_loops,
        bptt_by_autograd,
    ],
    "step_jacobian": [
        lambda h, W: (1 - h**2)[:, None] * W,
        lambda h, W: torch.diag(1 - h**2) @ W,
        jacobian_by_autograd,
    ],
    "log_factors": [
        lambda J, v: np.log(walk(J[::-1], v)),
        factors_in_torch,
        factors_into_a_list,
    ],
}
WRONG = {
    "bptt_step": [
        (bptt(0, lambda h, p, x, W, g: W @ slope(h, g)), "dL_dh_before: Did you use W"),
        (bptt(0, lambda h, p, x, W, g: W.T @ g), "dL_dh_before: The factor 1 - h_t^2 is missing"),
        (bptt(0, lambda h, p, x, W, g: slope(h, W.T @ g)), "before the transpose of W"),
        (bptt(0, lambda h, p, x, W, g: W.T @ slope(p, g)), "dL_dh_before: Off by one in time"),
        (bptt(0, lambda h, p, x, W, g: W.T @ slope(np.tanh(h), g)), "you took it twice"),
        (bptt(0, lambda h, p, x, W, g: slope(h, g)), "still to go back"),
        (bptt(1, lambda h, p, x, W, g: np.outer(p, slope(h, g))), "term_W: Your outer product"),
        (bptt(1, lambda h, p, x, W, g: np.outer(slope(h, g), h)), "this step's W was applied"),
        (bptt(1, lambda h, p, x, W, g: np.outer(g, p)), "term_W: The factor"),
        (bptt(1, lambda h, p, x, W, g: np.outer(slope(p, g), p)), "term_W: Off by one"),
        (bptt(1, lambda h, p, x, W, g: slope(h, g) * p), "an outer product", WRONG_SHAPE),
        (bptt(2, lambda h, p, x, W, g: np.outer(g, x)), "term_U: The factor"),
        (bptt(2, lambda h, p, x, W, g: np.outer(slope(p, g), x)), "term_U: Off by one"),
        (bptt(2, lambda h, p, x, W, g: np.outer(slope(h, g), p)), "word x_t, not", WRONG_SHAPE),
        (bptt(2, lambda h, p, x, W, g: np.outer(x, slope(h, g))), "with input j", WRONG_SHAPE),
        (lambda h, p, x, W, g: W.T @ slope(h, g), "one ndarray; return (dL_dh_be", WRONG_SHAPE),
        (lambda h, p, x, W, g: (g, g), "It returned 2 things: return (dL_dh_b", WRONG_SHAPE),
    ],
    "step_jacobian": [
        (lambda h, W: W * (1 - h**2), "scaled the columns"),
        (lambda h, W: (np.diag(1 - h**2) @ W).T, "is transposed"),
        (lambda h, W: np.diag(1 - h**2) @ W.T, "the transpose of W"),
        (lambda h, W: W, "Where is the derivative"),
        (lambda h, W: np.diag(h) @ W, "by h itself"),
        (lambda h, W: np.diag(1 - h) @ W, "a square"),
        (lambda h, W: np.diag(1 - np.tanh(h) ** 2) @ W, "twice"),
        (lambda h, W: np.diag(1 - h**2) * W, "Only the diagonal is left"),
        (lambda h, W: (1 - h**2) @ W, "sums over the rows", WRONG_SHAPE),
        (lambda h, W: W @ (1 - h**2), "sums each row up", WRONG_SHAPE),
    ],
    "log_factors": [
        (lambda J, v: np.log(walk(J, v)), "You began with the first step"),
        (lambda J, v: np.log(walk(J[::-1], v, turn=False)), "You used J."),
        (lambda J, v: np.log(walk(J[::-1], v, unit=False)), "left after all steps"),
        (lambda J, v: walk(J[::-1], v), "the factors themselves"),
        (lambda J, v: np.log10(walk(J[::-1], v)), "base 10"),
        (lambda J, v: np.log(walk(J[::-1], v))[::-1], "in the wrong order"),
        (lambda J, v: np.zeros(len(J)), "Every log is 0"),
        (lambda J, v: np.log(walk(J[::-1], v)).sum(), "the sum of the logs", WRONG_SHAPE),
        (lambda J, v: np.log(walk(J[::-1], v)).mean(), "the mean of the logs", WRONG_SHAPE),
        (the_vector_itself, "the vector at the end", WRONG_SHAPE),
        (differences_of_logs, "not over 900"),
        (lambda J, v: None, "None", FAILED),
    ],
}

test_right, test_wrong = planted_tests(RIGHT, WRONG)
