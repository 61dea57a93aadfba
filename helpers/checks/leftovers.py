"""What the first edition's notebooks still call; goes with the last of them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from helpers import measure as gradients
from helpers.checks.notebook_06 import SHAPES, _gradients
from helpers.checks.predictions import predicted
from helpers.checks.registry import judged
from helpers.checks.results import WRITTEN, Result
from helpers.measure.clipping import clip_by_global_norm
from helpers.measure.overflow import measured_overflow_step
from helpers.measure.signal import signal
from helpers.networks import rnn
from helpers.networks.classifiers import gru_classifier, seeded
from helpers.task.agreement import AgreementTask
from helpers.task.baselines import accuracy, nearest_noun
from helpers.task.lexicon import vocabulary

BIAS, GAP = 4.0, 40


def leftover(judge: Callable[[Any], str]) -> Callable[[Any], Result]:
    """Make a check that is in no list of exercises."""

    @functools.wraps(judge)
    def check(answer: Any) -> Result:
        return judged(judge.__name__, judge, answer, 1, WRITTEN)

    return check


@leftover
def guess_nearest_noun(answer: Any) -> str:
    """Check a prediction in percent."""

    def measure() -> float:
        tokens, labels = AgreementTask(20, "opposite", seed=0).batch(1000)
        return 100 * accuracy(nearest_noun(tokens, vocabulary()), labels)

    lesson = "Guessing gets 50: a rule that is always misled does worse, and could be turned round."
    return predicted(answer, measure, unit="%", low=0, high=100, lesson=lesson)


@leftover
def guess_share(answer: Any) -> str:
    """Check a prediction in percent."""
    lesson = "Small, and far from absent: three factors are too few for a gradient to vanish."
    return predicted(answer, _share_of_word_1, unit="%", low=0, high=100, lesson=lesson)


def _share_of_word_1() -> float:
    """Percent; four one-hot words, 32 units, PyTorch's default weights, as in the notebook."""
    layer = seeded(0, lambda: rnn.RNN(4, 32)).double()
    U, W, b_ih, b_hh = (weight.detach().numpy() for weight in layer.parameters())
    x = np.eye(4)[:, None]
    h = rnn.forward(x, U, W, b_ih, b_hh)
    V = np.random.default_rng(0).uniform(-1, 1, (2, 32)) / np.sqrt(32)
    p = np.exp(V @ h[-1, 0]) / np.exp(V @ h[-1, 0]).sum()
    direct = np.zeros((4, 1, 32))
    direct[-1, 0] = V.T @ (p - [0.0, 1.0])
    delta = (1 - h[1:] ** 2) * rnn.backward(direct, x, h, U, W).states
    return float(100 * gradients.shares(gradients.terms_by_step(delta, x))[0])


@leftover
def guess_overflow_step(answer: Any) -> str:
    """Check a prediction of a step."""
    lesson = "The step grows with the logarithm of the largest number: a huge range buys few steps."
    return predicted(
        answer,
        lambda: measured_overflow_step(1.5, torch.float32),
        low=1,
        whole=True,
        lesson=lesson,
    )


@leftover
def guess_angle(answer: Any) -> str:
    """Check a prediction of an angle, in degrees."""

    def measure() -> float:
        gradients = [torch.from_numpy(each) for each in _gradients(0, SHAPES, 10.0)]
        return clip_by_global_norm(gradients, 1.0).angle

    lesson = "One factor for every entry changes the length and never the direction."
    return predicted(answer, measure, unit="degrees", low=0, high=180, lesson=lesson)


@leftover
def guess_gru_factor(answer: Any) -> str:
    """Check a prediction of a factor."""
    lesson = (
        f"Over {GAP} words that leaves a good part of the signal, where the plain RNN's is gone."
    )
    return predicted(answer, _gru_factor, unit="per step", low=0, high=10, lesson=lesson)


def _gru_factor() -> float:
    """Geometric mean of the signal's factor from the verb back to the subject."""
    model = gru_classifier(len(vocabulary()), update_bias=BIAS, seed=0).double()
    tokens, _ = AgreementTask(GAP, seed=0).batch(16)
    norms = signal(model, tokens)
    return float(np.median(norms[:, -GAP - 1] / norms[:, -1]) ** (1 / GAP))
