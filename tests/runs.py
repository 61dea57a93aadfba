"""Networks trained as the notebooks train them, each run once for all tests that ask for it."""

from __future__ import annotations

import copy
import functools
from typing import Any

import torch

from helpers import training
from helpers.networks import classifiers as models
from helpers.task.agreement import AgreementTask, flipped, vocabulary

# Notebook 02's budget for mixed gaps, (3, 15).
MIXED = {"steps": 3000, "learning_rate": 2e-3, "check_every": 500, "target": 1.01}


@functools.cache
def _trained(
    gap: int | tuple[int, int], seed: int, attractors: str, options: tuple[tuple[str, Any], ...]
) -> tuple[models.Classifier, training.History]:
    model = models.rnn_classifier(len(vocabulary()), seed=seed)
    tasks = (AgreementTask(gap, attractors, seed=s) for s in (seed, 1000 + seed))
    return model, training.train(model, *tasks, **dict(options))


def trained(
    gap: int | tuple[int, int], seed: int, attractors: str = "random", **options: Any
) -> tuple[models.Classifier, training.History]:
    """A copy of the default network trained at this gap with this seed, and its history.

    options: what training.train takes besides model and tasks.
    """
    model, history = _trained(gap, seed, attractors, tuple(sorted(options.items())))
    return copy.deepcopy(model), history


def subject_flipped(tokens: torch.Tensor, gap: int) -> torch.Tensor:
    """The sentences (n, steps) with each subject in its other number."""
    words = vocabulary()
    rows = [words.encode(flipped(words.decode(row), -gap - 1)) for row in tokens]
    return torch.stack([torch.from_numpy(row) for row in rows])
