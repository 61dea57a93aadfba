"""Exercises of notebook 00: the step of an RNN, and the signal by autograd."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from helpers import measure, networks
from helpers.checks.attempt import Case
from helpers.checks.compare import compare, random_cases
from helpers.checks.registry import exercise
from helpers.validation import Array

SIZES = ((4, 4), (3, 3), (5, 2), (2, 6), (1, 3))  # (hidden, input); square ones first
TRANSPOSED = "Is a matrix transposed? Row i of W and of U belongs to unit i of the new state."


def _step_mistakes(x, h, W, U, b):
    return [
        ("Did you multiply element by element? W h and U x are matrix products: look at @.",
         lambda: np.tanh(W * h + U * x + b)),
        ("Did you multiply element by element? Each unit sums over a row, not over a column.",
         lambda: np.tanh((W * h).sum(0) + (U * x).sum(0) + b)),
        (TRANSPOSED, lambda: np.tanh(W.T @ h + U.T @ x + b)),
        (TRANSPOSED, np.tanh(W.T @ h + U @ x + b)),
        (TRANSPOSED, lambda: np.tanh(W @ h + U.T @ x + b)),
        ("Where is the bias b?", np.tanh(W @ h + U @ x)),
        ("Your state is not bounded by 1: where is the tanh?", W @ h + U @ x + b),
        ("The bias goes into the tanh, not on top of it.", np.tanh(W @ h + U @ x) + b),
        ("W and U seem swapped: which of the two meets the old state?",
         lambda: np.tanh(U @ h + W @ x + b)),
        ("Did you use the logistic function? Its values are never negative; those of tanh are.",
         networks.logistic(W @ h + U @ x + b)),
        ("Your result does not depend on h: without W h the network has no memory.",
         np.tanh(U @ x + b)),
    ]  # fmt: skip


@exercise("00", 1, "The RNN step", points=2, minutes=3, difficulty=1)
def rnn_step(answer: Any) -> str:
    """Check a function of (x, h, W, U, b) that returns the next state (hidden,)."""
    shapes = ({"x": (m,), "h": (n,), "W": (n, n), "U": (n, m), "b": (n,)} for n, m in SIZES)
    cases = random_cases(100, shapes)
    return compare(answer, cases, networks.rnn_step, _step_mistakes, shape="(hidden,)")


ONE_LOGIT = "Did you differentiate one logit? The verb is decided by the difference of the two."


def _signal_mistakes(model, tokens):
    margin = _gradient(model, tokens, lambda logits: logits[:, 0] - logits[:, 1])
    norm = np.linalg.norm(margin, axis=2)

    at_sum = margin * (1 - model.states(tokens).detach().double().numpy() ** 2)
    at_word = at_sum @ model.layer.weight_ih_l0.detach().double().numpy()

    def norm_of(part: Callable[[Tensor], Tensor]) -> Array:
        return np.linalg.norm(_gradient(model, tokens, part), axis=2)

    return [
        ("That is the gradient itself, a number for each unit: the signal is its norm.", margin),
        ("The norm runs over the words, so each unit has one: each word needs its own.",
         np.linalg.norm(margin, axis=1)),
        ("The norm runs over the sentences too: each sentence needs its own row.",
         np.linalg.norm(margin, axis=(0, 2))),
        ("The norm runs over the sentences: which axis holds the units of one state?",
         np.linalg.norm(margin, axis=0)),
        ("These are the squares of the norms: is a root missing?", norm**2),
        ("You add up the sizes of the entries: the norm is the root of the sum of squares.",
         np.abs(margin).sum(2)),
        ("You add up the entries, signs and all: a norm comes from their squares.", margin.sum(2)),
        ("Did you take the mean over the sentences? Each would count less the more there are.",
         norm / len(tokens)),
        (ONE_LOGIT, norm_of(lambda logits: logits[:, 0])),
        (ONE_LOGIT, norm_of(lambda logits: logits[:, 1])),
        ("Did you add the two logits? The verb is decided by their difference.",
         norm_of(lambda logits: logits.sum(1))),
        ("Did you differentiate probabilities? Softmax's own slope shrinks when it is sure.",
         norm_of(lambda logits: logits.softmax(1)[:, 0] - logits.softmax(1)[:, 1])),
        ("That is the gradient at each word's embedding: the signal is taken at the state h_t.",
         np.linalg.norm(at_word, axis=2)),
        ("The words are in reverse order: the last word's signal comes last.", norm[:, ::-1]),
    ]  # fmt: skip


def _gradient(model: networks.Classifier, tokens: Tensor, of: Callable[[Tensor], Tensor]) -> Array:
    """Gradient of a number made from the logits at each state, (n, steps, hidden)."""
    nudge = torch.zeros(*tokens.shape, model.state_size, dtype=model.readout.weight.dtype)
    nudge.requires_grad_(True)
    (gradient,) = torch.autograd.grad(of(model(tokens, probe=nudge)).sum(), nudge)
    return gradient.double().numpy()


@exercise("00", 2, "The signal by autograd", points=3, minutes=8, difficulty=2)
def signal(answer: Any) -> str:
    """Check a function of (model, tokens) that returns the signal (n, steps)."""
    generator = torch.Generator().manual_seed(0)
    cases: list[Case] = []
    for seed, (sentences, steps, hidden) in enumerate(((2, 5, 4), (3, 3, 3), (1, 6, 5), (4, 2, 4))):
        model = networks.rnn_classifier(9, hidden=hidden, seed=seed)
        tokens = torch.randint(9, (sentences, steps), generator=generator)
        cases.append({"model": model.double() if seed % 2 == 0 else model, "tokens": tokens})
    shape = "(n, steps)"
    return compare(answer, cases, measure.signal, _signal_mistakes, shape=shape, kinds=("torch",))
