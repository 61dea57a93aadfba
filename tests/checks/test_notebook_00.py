"""Answers to notebook 00's exercises: right ones written differently, wrong ones named."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from planted import planted_tests, rows

from helpers import checks, measure
from helpers.checks import results
from helpers.checks.results import FAILED, WRONG_SHAPE, WRONG_VALUES


def nudged(model, tokens, of, **kind):
    """The gradient at a nudge of each state, (n, steps, hidden)."""
    kind = kind or {"dtype": model.readout.weight.dtype}
    nudge = torch.zeros(*tokens.shape, model.state_size, requires_grad=True, **kind)
    of(model(tokens, probe=nudge)).backward()
    return nudge.grad


def margin(logits):
    return (logits[:, 0] - logits[:, 1]).sum()


def by_backward(model, tokens):
    return nudged(model, tokens, margin).norm(dim=-1)


def were_before_was_in_numpy(model, tokens):
    gradient = nudged(model, tokens, lambda logits: (logits[:, 1] - logits[:, 0]).sum()).numpy()
    return np.sqrt((gradient**2).sum(axis=2))


def one_sentence_at_a_time(model, tokens):
    return torch.cat([by_backward(model, sentence[None]) for sentence in tokens])


def by_jacobian(model, tokens):
    nudge = torch.zeros(*tokens.shape, model.state_size, dtype=model.readout.weight.dtype)
    rows = torch.autograd.functional.jacobian(lambda n: model(tokens, probe=n), nudge)
    return [(rows[i, 0, i] - rows[i, 1, i]).norm(dim=1).tolist() for i in range(len(tokens))]


def by_hand(model, tokens):
    states, W = model.states(tokens).detach(), model.layer.weight_hh_l0.detach()
    back = (model.readout.weight[0] - model.readout.weight[1]).detach().expand(len(tokens), -1)
    norms = [back.norm(dim=1)]
    for t in range(tokens.shape[1] - 1, 0, -1):
        back = (back * (1 - states[:, t] ** 2)) @ W
        norms.insert(0, back.norm(dim=1))
    return torch.stack(norms, dim=1)


@pytest.mark.parametrize(
    "answer",
    [by_backward, were_before_was_in_numpy, one_sentence_at_a_time, by_jacobian, by_hand],
)
def test_signal_accepts(answer):
    result = checks.signal(answer)
    assert result.status == results.RIGHT, result
    assert result.points == 3


def at_embedding(model, tokens):
    words = model.embedding(tokens).detach().requires_grad_(True)
    output, _ = model.layer(words)
    margin(model.readout(output[:, -1])).backward()
    return words.grad.norm(dim=-1)


@pytest.mark.parametrize(
    ("answer", "status", "says"),
    [
        (lambda m, t: nudged(m, t, margin), WRONG_SHAPE, "the signal is its norm"),
        (lambda m, t: nudged(m, t, margin).norm(dim=1), WRONG_SHAPE, "runs over the words"),
        (lambda m, t: nudged(m, t, margin).norm(dim=0), WRONG_SHAPE, "runs over the sentences"),
        (lambda m, t: nudged(m, t, margin).norm(dim=(0, 2)), WRONG_SHAPE, "its own row"),
        (lambda m, t: by_backward(m, t) ** 2, WRONG_VALUES, "is a root missing"),
        (lambda m, t: nudged(m, t, margin).abs().sum(-1), WRONG_VALUES, "add up the sizes"),
        (lambda m, t: nudged(m, t, margin).sum(-1), WRONG_VALUES, "signs and all"),
        (
            lambda m, t: nudged(m, t, lambda y: (y[:, 0] - y[:, 1]).mean()).norm(dim=-1),
            WRONG_VALUES,
            "mean over the sentences",
        ),
        (
            lambda m, t: nudged(m, t, lambda y: y[:, 0].sum()).norm(dim=-1),
            WRONG_VALUES,
            "differentiate one logit",
        ),
        (
            lambda m, t: nudged(m, t, lambda y: y.sum()).norm(dim=-1),
            WRONG_VALUES,
            "add the two logits",
        ),
        (
            lambda m, t: nudged(m, t, lambda y: margin(y.softmax(1))).norm(dim=-1),
            WRONG_VALUES,
            "differentiate probabilities",
        ),
        (at_embedding, WRONG_VALUES, "at each word's embedding"),
        (lambda m, t: by_backward(m, t).flip(1), WRONG_VALUES, "in reverse order"),
        (
            lambda m, t: nudged(m, t, margin, dtype=torch.float64).norm(dim=-1),
            FAILED,
            "float32",
        ),
        (lambda m, t: nudged(m, t, margin).norm(dim=-1).log10(), WRONG_VALUES, "off"),
    ],
)  # fmt: skip
def test_signal_names_what_it_saw(answer, status, says):
    result = checks.signal(answer)
    assert (result.status, result.points) == (status, 0), result
    assert says in str(result), result


def test_signal_goes_on_with_the_learners_own_once_it_is_right():
    assert checks.signal(by_hand).use(instead=measure.signal) is by_hand
    assert checks.signal(at_embedding).use(instead=measure.signal) is measure.signal


def step_in_loops(x, h, W, U, b):
    new = []
    for i in range(len(b)):
        a = float(b[i])
        for j in range(len(h)):
            a += W[i, j] * h[j]
        for j in range(len(x)):
            a += U[i, j] * x[j]
        new.append(math.tanh(a))
    return new


def step_in_place(x, h, W, U, b):
    a = W @ h
    a += U @ x
    a += b
    return np.tanh(a, out=a)


def step_by_module(x, h, W, U, b):
    cell = torch.nn.RNNCell(len(x), len(h))
    given = {"weight_hh": W, "weight_ih": U, "bias_hh": b, "bias_ih": 0 * b}
    cell.load_state_dict({name: torch.as_tensor(each) for name, each in given.items()})
    return cell(torch.as_tensor(x).float()[None], torch.as_tensor(h).float()[None])[0]


def logistic(a):
    return 1 / (1 + np.exp(-a))


def right_step(x, h, W, U, b):
    a = W @ h + U @ x + b
    return a.tanh() if isinstance(a, torch.Tensor) else np.tanh(a)


def step_times(factor):
    return lambda *given: factor * right_step(*given)


def step_and(more):
    return lambda *given: right_step(*given) + more


ELEMENTS = "element by element"


TRANSPOSED = "Is a matrix transposed?"


RIGHT = {
    "rnn_step": [
        lambda x, h, W, U, b: np.tanh(W @ h + U @ x + b),
        lambda x, h, W, U, b: torch.tanh(W @ h + U @ x + b),
        lambda x, h, W, U, b: np.tanh(np.hstack([W, U]) @ np.concatenate([h, x]) + b).tolist(),
        step_in_loops,
        step_in_place,
        step_by_module,
    ],
}
STEP = rows(
    "rnn_step",
    ("*", lambda x, h, W, U, b: np.tanh(W * h + U * x + b), ELEMENTS, WRONG_SHAPE),
    ("column sums", lambda x, h, W, U, b: np.tanh((W * h).sum(0) + (U * x).sum(0) + b),
     "not over a column", WRONG_SHAPE),
    ("h W", lambda x, h, W, U, b: np.tanh(h @ W + x @ U + b), TRANSPOSED),
    ("W^T", lambda x, h, W, U, b: np.tanh(W.T @ h + U @ x + b), TRANSPOSED),
    ("U^T", lambda x, h, W, U, b: np.tanh(W @ h + U.T @ x + b), TRANSPOSED),
    ("no b", lambda x, h, W, U, b: np.tanh(W @ h + U @ x), "Where is the bias"),
    ("no tanh", lambda x, h, W, U, b: W @ h + U @ x + b, "where is the tanh"),
    ("b outside", lambda x, h, W, U, b: np.tanh(W @ h + U @ x) + b, "on top of it"),
    ("swapped", lambda x, h, W, U, b: np.tanh(U @ h + W @ x + b), "seem swapped"),
    ("logistic", lambda x, h, W, U, b: logistic(W @ h + U @ x + b), "logistic"),
    ("no W h", lambda x, h, W, U, b: np.tanh(U @ x + b), "no memory"),
    ("minus", lambda x, h, W, U, b: -np.tanh(W @ h + U @ x + b), "-1 times"),
    ("too deep", lambda x, h, W, U, b: np.tanh(W @ h + U @ x + b)[None],
     "should have (hidden,) = (4,)", WRONG_SHAPE),
    ("a bit large", step_times(1.001), "0.1 % too large, everywhere"),
    ("a bit small", step_times(0.98), "2 % too small, everywhere"),
    ("a bit more", step_and(3e-5), "3e-05 larger than it should be, everywhere"),
    ("sine", lambda x, h, W, U, b: np.sin(W @ h + U @ x + b),
     "Numbers that are off: 15 of 15, by up to"),
    ("less", step_and(-0.5), "0.5 smaller than it should be, everywhere"),
    ("torch's own error",
     lambda x, h, W, U, b: torch.matmul(W, h) + torch.matmul(U.T, torch.cat([x, x])) + b,
     "size mismatch", FAILED),
)  # fmt: skip
WRONG = [*STEP]

test_right, test_wrong = planted_tests(RIGHT, WRONG)
