"""Signal against noise: what the subject's number changes, beside what all other words do.

Of each sentence there are two versions that differ in nothing but the subject's number.
With f a vector that a sentence leaves behind (the last state, or the gradient of the
margin by the layer's weights), for sentence i,

    d_i = f(plural) - f(singular)                what the number changes
    m_i = (f(plural) + f(singular)) / 2          what all other words make of it

    signal-to-noise = ||mean of d_i|| / (standard deviation of m_i, over all entries)

The mean keeps what the number changes in every sentence alike, which is what a readout
can use, or a step of training can learn. Averaged over a batch of B sentences the noise
falls by the square root of B, so a ratio far below 1 / sqrt(B) is lost in the batch.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from helpers.networks import Classifier
from helpers.task import flip
from helpers.validation import Array, choice


def signal_to_noise(model: Classifier, tokens: Tensor, subject: int, of: str = "state") -> float:
    """Return how large the effect of the subject's number is beside that of all other words.

    model: a classifier of the course. tokens: (n, steps), n at least 2; subject: its
    position in all of them, -gap - 1. of: "state" for h_T, "gradient" for the
    gradient of the margin logit_was - logit_were by the recurrent layer's parameters.
    No unit. Source: this module's head.
    """
    features = FEATURES[choice("of", of, FEATURES)]
    flipped, plural = flip(tokens, subject)
    given, other = features(model, tokens), features(model, flipped)
    sign = np.where(plural, -1.0, 1.0)[:, None]
    signal = np.linalg.norm((sign * (other - given)).mean(axis=0))
    noise = np.sqrt(((given + other) / 2).var(axis=0, ddof=1).sum())
    return float(signal / noise)


def _last_states(model: Classifier, tokens: Tensor) -> Array:
    """h_T of each sentence, (n, hidden) float64."""
    with torch.no_grad():
        return model.states(tokens)[:, -1].double().numpy()


def _margin_gradients(model: Classifier, tokens: Tensor) -> Array:
    """Gradient of each sentence's margin by the layer's parameters, (n, parameters) float64."""
    parameters = list(model.layer.parameters())
    rows = []
    for sentence in tokens:
        was, were = model(sentence[None])[0]
        gradients = torch.autograd.grad(was - were, parameters)
        rows.append(torch.cat([each.flatten() for each in gradients]).double().numpy())
    return np.array(rows)


FEATURES: dict[str, Callable[[Classifier, Tensor], Array]] = {
    "state": _last_states,
    "gradient": _margin_gradients,
}
