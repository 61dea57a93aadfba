"""Ask a network that a learner has trained."""

from __future__ import annotations

from typing import Any

from torch import nn

from helpers import training
from helpers.checks.results import FAILED, Verdict
from helpers.task.agreement import AgreementTask

WANTED, SENTENCES = 0.9, 256  # below the 0.95 at which training stops: other sentences
RUN_SECONDS = 240.0  # for a training of the learner's own


def network(value: Any) -> nn.Module:
    """Return what a run gave back if it maps tokens to logits, else raise a Verdict."""
    model = value[0] if isinstance(value, tuple) and value else value
    if not isinstance(model, nn.Module):
        raise Verdict(
            FAILED, f"It returned {type(model).__name__}; the trained network itself is needed."
        )
    return model


def accuracy_of(model: nn.Module, task: AgreementTask) -> float:
    """Return the model's share of right verbs, or raise a Verdict if it cannot be asked."""
    try:
        return training.accuracy(model, task, SENTENCES)
    except Exception as error:
        raise Verdict(
            FAILED,
            "The network you returned cannot read a batch of sentences: give it tokens "
            "(n, steps), and it should give logits (n, 2).",
            f"{type(error).__name__}: {str(error).splitlines()[0][:200]}",
        ) from None
