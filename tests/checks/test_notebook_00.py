"""Answers to notebook 00's exercises: right ones written differently, wrong ones named."""

from __future__ import annotations

import numpy as np
import torch
from planted import planted_tests

from helpers.checks.results import FAILED, WRONG_SHAPE


def nudged(model, tokens, of, **kind):
    """The gradient at a nudge of each state, (n, steps, hidden)."""
    kind = kind or {"dtype": model.readout.weight.dtype}
    nudge = torch.zeros(*tokens.shape, model.state_size, requires_grad=True, **kind)
    of(model(tokens, probe=nudge)).backward()
    return nudge.grad


def margin(logits):
    return (logits[:, 0] - logits[:, 1]).sum()


def norm_of(part):
    """The signal of something else that is made from the logits."""
    return lambda model, tokens: nudged(model, tokens, part).norm(dim=-1)


by_backward = norm_of(margin)


def were_before_was_in_numpy(model, tokens):
    gradient = nudged(model, tokens, lambda logits: (logits[:, 1] - logits[:, 0]).sum()).numpy()
    return np.sqrt((gradient**2).sum(axis=2))


def by_hand(model, tokens):
    states, W = model.states(tokens).detach(), model.layer.weight_hh_l0.detach()
    back = (model.readout.weight[0] - model.readout.weight[1]).detach().expand(len(tokens), -1)
    norms = [back.norm(dim=1)]
    for t in range(tokens.shape[1] - 1, 0, -1):
        back = (back * (1 - states[:, t] ** 2)) @ W
        norms.insert(0, back.norm(dim=1))
    return torch.stack(norms, dim=1)


def at_embedding(model, tokens):
    words = model.embedding(tokens).detach().requires_grad_(True)
    output, _ = model.layer(words)
    margin(model.readout(output[:, -1])).backward()
    return words.grad.norm(dim=-1)


def step_by_module(x, h, W, U, b):
    cell = torch.nn.RNNCell(len(x), len(h))
    given = {"weight_hh": W, "weight_ih": U, "bias_hh": b, "bias_ih": 0 * b}
    cell.load_state_dict({name: torch.as_tensor(each) for name, each in given.items()})
    return cell(torch.as_tensor(x).float()[None], torch.as_tensor(h).float()[None])[0]


def step(x, h, W, U, b):
    return np.tanh(W @ h + U @ x + b)


RIGHT = {
    "rnn_step": [
        step,
        lambda x, h, W, U, b: torch.tanh(W @ h + U @ x + b),
        lambda x, h, W, U, b: np.tanh(np.hstack([W, U]) @ np.concatenate([h, x]) + b).tolist(),
        step_by_module,
    ],
    "signal": [
        by_backward,
        were_before_was_in_numpy,
        lambda model, tokens: torch.cat([by_backward(model, each[None]) for each in tokens]),
        by_hand,
    ],
}
ELEMENTS, TRANSPOSED = "element by element", "Is a matrix transposed?"
WRONG = {
    "rnn_step": [
        (lambda x, h, W, U, b: np.tanh(W * h + U * x + b), ELEMENTS, WRONG_SHAPE),
        (lambda x, h, W, U, b: np.tanh((W * h).sum(0) + (U * x).sum(0) + b),
         "not over a column", WRONG_SHAPE),
        (lambda x, h, W, U, b: np.tanh(h @ W + x @ U + b), TRANSPOSED),
        (lambda x, h, W, U, b: np.tanh(W.T @ h + U @ x + b), TRANSPOSED),
        (lambda x, h, W, U, b: np.tanh(W @ h + U.T @ x + b), TRANSPOSED),
        (lambda x, h, W, U, b: np.tanh(W @ h + U @ x), "Where is the bias"),
        (lambda x, h, W, U, b: W @ h + U @ x + b, "where is the tanh"),
        (lambda x, h, W, U, b: np.tanh(W @ h + U @ x) + b, "on top of it"),
        (lambda x, h, W, U, b: np.tanh(U @ h + W @ x + b), "seem swapped"),
        (lambda x, h, W, U, b: 1 / (1 + np.exp(-(W @ h + U @ x + b))), "logistic"),
        (lambda x, h, W, U, b: np.tanh(U @ x + b), "no memory"),
        (lambda *given: -step(*given), "-1 times"),
        (lambda *given: step(*given)[None], "should have (hidden,) = (4,)", WRONG_SHAPE),
        (lambda *given: 1.001 * step(*given), "1.001 times as large"),
        (lambda *given: 0.98 * step(*given), "0.98 times as large"),
        (lambda *given: step(*given) + 3e-5, "3e-05 larger than it should be, everywhere"),
        (lambda *given: step(*given) - 0.5, "0.5 smaller than it should be, everywhere"),
        (lambda *given: 0 * step(*given), "zero everywhere"),
        (lambda x, h, W, U, b: np.sin(W @ h + U @ x + b), "Numbers that are off: 15 of 15, by up"),
        (lambda x, h, W, U, b: torch.matmul(W, h) + torch.matmul(U.T, torch.cat([x, x])) + b,
         "size mismatch", FAILED),
    ],
    "signal": [
        (lambda m, t: nudged(m, t, margin), "the signal is its norm", WRONG_SHAPE),
        (lambda m, t: nudged(m, t, margin).norm(dim=1), "runs over the words", WRONG_SHAPE),
        (lambda m, t: nudged(m, t, margin).norm(dim=0), "runs over the sentences:", WRONG_SHAPE),
        (lambda m, t: nudged(m, t, margin).norm(dim=(0, 2)), "its own row", WRONG_SHAPE),
        (lambda m, t: by_backward(m, t) ** 2, "is a root missing"),
        (lambda m, t: nudged(m, t, margin).abs().sum(-1), "add up the sizes"),
        (lambda m, t: nudged(m, t, margin).sum(-1), "signs and all"),
        (norm_of(lambda y: (y[:, 0] - y[:, 1]).mean()), "mean over the sentences"),
        (norm_of(lambda y: y[:, 0].sum()), "differentiate one logit"),
        (norm_of(lambda y: y[:, 1].sum()), "differentiate one logit"),
        (norm_of(lambda y: y.sum()), "add the two logits"),
        (norm_of(lambda y: margin(y.softmax(1))), "differentiate probabilities"),
        (at_embedding, "at each word's embedding"),
        (lambda m, t: by_backward(m, t).flip(1), "in reverse order"),
        (lambda m, t: nudged(m, t, margin, dtype=torch.float64).norm(dim=-1), "float32", FAILED),
        (lambda m, t: by_backward(m, t).log10(), "off"),
    ],
}  # fmt: skip

test_right, test_wrong = planted_tests(RIGHT, WRONG)
