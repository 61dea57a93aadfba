"""Exercises of notebook 00: the step of an RNN, and the signal by autograd."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from helpers import measure, networks
from helpers.checks.attempt import Case
from helpers.checks.compare import Mistake, compare
from helpers.checks.registry import exercise
from helpers.validation import Array

SIZES = ((4, 4), (3, 3), (5, 2), (2, 6), (1, 3))  # (hidden, input); square ones first


TRANSPOSED = "Is a matrix transposed? Row i of W and of U belongs to unit i of the new state."
STEP_MISTAKES = (
    Mistake("Did you multiply element by element? W h and U x are matrix products: look at @.",
            lambda x, h, W, U, b: np.tanh(W * h + U * x + b)),
    Mistake("Did you multiply element by element? Each unit sums over a row, not over a column.",
            lambda x, h, W, U, b: np.tanh((W * h).sum(0) + (U * x).sum(0) + b)),
    Mistake(TRANSPOSED, lambda x, h, W, U, b: np.tanh(W.T @ h + U.T @ x + b)),
    Mistake(TRANSPOSED, lambda x, h, W, U, b: np.tanh(W.T @ h + U @ x + b)),
    Mistake(TRANSPOSED, lambda x, h, W, U, b: np.tanh(W @ h + U.T @ x + b)),
    Mistake("Where is the bias b?", lambda x, h, W, U, b: np.tanh(W @ h + U @ x)),
    Mistake("Your state is not bounded by 1: where is the tanh?",
            lambda x, h, W, U, b: W @ h + U @ x + b),
    Mistake("The bias goes into the tanh, not on top of it.",
            lambda x, h, W, U, b: np.tanh(W @ h + U @ x) + b),
    Mistake("W and U seem swapped: which of the two meets the old state?",
            lambda x, h, W, U, b: np.tanh(U @ h + W @ x + b)),
    Mistake("Did you use the logistic function? Its values are never negative; those of tanh are.",
            lambda x, h, W, U, b: 1 / (1 + np.exp(-(W @ h + U @ x + b)))),
    Mistake("Your result does not depend on h: without W h the network has no memory.",
            lambda x, h, W, U, b: np.tanh(U @ x + b)),
)  # fmt: skip


@exercise("00", 1, "The RNN step", points=2, minutes=3, difficulty=1)
def rnn_step(answer: Any) -> str:
    """Check a function of (x, h, W, U, b) that returns the next state (hidden,)."""
    return compare(answer, _step_cases(), networks.rnn_step, STEP_MISTAKES, shape="(hidden,)")


def _step_cases() -> list[Case]:
    rng = np.random.default_rng(100)
    return [
        {
            "x": rng.normal(size=size),
            "h": rng.uniform(-0.9, 0.9, hidden),
            "W": rng.normal(0, 0.7, (hidden, hidden)),
            "U": rng.normal(0, 0.7, (hidden, size)),
            "b": rng.normal(0, 0.5, hidden),
        }
        for hidden, size in SIZES
    ]


def _gradient(model: networks.Classifier, tokens: Tensor, of: Callable[[Tensor], Tensor]) -> Array:
    """Gradient of a number made from the logits at each state, (n, steps, hidden)."""
    nudge = torch.zeros(*tokens.shape, model.state_size, dtype=model.readout.weight.dtype)
    nudge.requires_grad_(True)
    (gradient,) = torch.autograd.grad(of(model(tokens, probe=nudge)), nudge)
    return gradient.double().numpy()


def _margin(model: networks.Classifier, tokens: Tensor) -> Array:
    return _gradient(model, tokens, lambda logits: (logits[:, 0] - logits[:, 1]).sum())


def _at_words(model: networks.Classifier, tokens: Tensor) -> Array:
    """Gradient of the margin at each word's embedding instead of at the state after it."""
    at_sum = _margin(model, tokens) * (1 - model.states(tokens).detach().double().numpy() ** 2)
    return at_sum @ model.get_parameter("layer.weight_ih_l0").detach().double().numpy()


def _norm(gradient: Array) -> Array:
    return np.linalg.norm(gradient, axis=-1)


ONE_LOGIT = "Did you differentiate one logit? The verb is decided by the difference of the two."
SIGNAL_MISTAKES = (
    Mistake(
        "That is the gradient itself, a number for each unit: the signal is its norm.", _margin
    ),
    Mistake("The norm runs over the words, so each unit has one: each word needs its own.",
            lambda model, tokens: np.linalg.norm(_margin(model, tokens), axis=1)),
    Mistake("The norm runs over the sentences too: each sentence needs its own row.",
            lambda model, tokens: np.linalg.norm(_margin(model, tokens), axis=(0, 2))),
    Mistake("The norm runs over the sentences: which axis holds the units of one state?",
            lambda model, tokens: np.linalg.norm(_margin(model, tokens), axis=0)),
    Mistake("These are the squares of the norms: is a root missing?",
            lambda model, tokens: (_margin(model, tokens) ** 2).sum(-1)),
    Mistake("You add up the sizes of the entries: the norm is the root of the sum of squares.",
            lambda model, tokens: np.abs(_margin(model, tokens)).sum(-1)),
    Mistake("You add up the entries, signs and all: a norm comes from their squares.",
            lambda model, tokens: _margin(model, tokens).sum(-1)),
    Mistake("Did you take the mean over the sentences? Each would count less the more there are.",
            lambda model, tokens: _norm(_margin(model, tokens)) / len(tokens)),
    Mistake(
        ONE_LOGIT,
        lambda model, tokens: _norm(_gradient(model, tokens, lambda logits: logits[:, 0].sum())),
    ),
    Mistake(
        ONE_LOGIT,
        lambda model, tokens: _norm(_gradient(model, tokens, lambda logits: logits[:, 1].sum())),
    ),
    Mistake("Did you add the two logits? The verb is decided by their difference.",
            lambda model, tokens: _norm(_gradient(model, tokens, lambda logits: logits.sum()))),
    Mistake(
        "Did you differentiate probabilities? Softmax's own slope shrinks when it is sure.",
        lambda model, tokens: _norm(
            _gradient(
                model,
                tokens,
                lambda logits: (logits.softmax(1) @ torch.tensor([1.0, -1.0]).to(logits)).sum(),
            )
        ),
    ),
    Mistake("That is the gradient at each word's embedding: the signal is taken at the state h_t.",
            lambda model, tokens: _norm(_at_words(model, tokens))),
    Mistake("The words are in reverse order: the last word's signal comes last.",
            lambda model, tokens: _norm(_margin(model, tokens))[:, ::-1]),
)  # fmt: skip


@exercise("00", 2, "The signal by autograd", points=3, minutes=8, difficulty=2)
def signal(answer: Any) -> str:
    """Check a function of (model, tokens) that returns the signal (n, steps)."""
    return compare(
        answer,
        _signal_cases(),
        measure.signal,
        SIGNAL_MISTAKES,
        shape="(n, steps)",
        kinds=("torch",),
    )


def _signal_cases() -> list[Case]:
    """Models of both dtypes, with logits far enough apart for softmax to matter."""
    generator = torch.Generator().manual_seed(0)
    cases: list[Case] = []
    for seed, (sentences, steps, hidden) in enumerate(((2, 5, 4), (3, 3, 3), (1, 6, 5), (4, 2, 4))):
        model = networks.rnn_classifier(9, hidden=hidden, seed=seed)
        tokens = torch.randint(9, (sentences, steps), generator=generator)
        cases.append({"model": model.double() if seed % 2 == 0 else model, "tokens": tokens})
    return cases
