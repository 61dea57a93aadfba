"""Signal against noise: does the subject's number say the same in every sentence?

Of each sentence there are two versions that differ in nothing but the subject's number. The
difference of their gradients, was minus were, is what the number changes: what a step of
training can learn of it. The other words turn it, each sentence in a direction of its own, and
what points in all directions averages to nothing.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from helpers.networks import Classifier
from helpers.task import flip


def agreement(model: Classifier, tokens: Tensor, subject: int) -> float:
    """Return how far two halves of the sentences agree on what the subject's number changes.

    model: a classifier of the course. tokens: (n, steps), n even; subject: its position in all
    of them, -gap - 1. A cosine: near 1 the sentences say the same to the recurrent layer's
    parameters, near 0 each says something else. It grows with n unless it is 0.
    """
    model = copy.deepcopy(model).double()
    other, plural = flip(tokens, subject)
    sign = 1 - 2 * torch.tensor(plural).double()
    given, changed = (logits[:, 0] - logits[:, 1] for logits in (model(tokens), model(other)))
    parameters = list(model.layer.parameters())
    one, two = (
        torch.cat(
            [
                part.flatten()
                for part in torch.autograd.grad(effect.mean(), parameters, retain_graph=True)
            ]
        )
        for effect in (sign * (given - changed)).chunk(2)
    )
    return cosine_similarity(one, two, dim=0, eps=1e-12).item()
