"""Exercises of notebook 08: labels from a coin, and a plain RNN that learns gap 20."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from helpers.checks.attempt import attempt
from helpers.checks.registry import exercise
from helpers.checks.results import FAILED, WRONG_SHAPE, WRONG_VALUES, Verdict
from helpers.checks.trained import RUN_SECONDS, SENTENCES, WANTED, accuracy_of, network
from helpers.figures.picture import about
from helpers.figures.picture import size as sized
from helpers.task.agreement import AgreementTask

LABELS = 2000
UNFAIR = 0.08  # seven standard deviations of the share of LABELS fair coins
GAP, UNITS = 20, 32


@exercise("08", 1, "Labels from a coin", points=1, minutes=3, difficulty=1)
def coin(answer: Any) -> str:
    """Check a function of labels (n,) that returns a coin's."""
    generator = torch.Generator().manual_seed(801)
    given = [torch.randint(2, (n,), generator=generator) for n in (LABELS, 7)]
    outcomes = attempt(answer, [{"labels": each} for each in given], _labels, kinds=("torch",))
    for outcome, labels in zip(outcomes, given, strict=True):
        shape, wanted = tuple(outcome.value.shape), tuple(labels.shape)
        if shape != wanted:
            seen = f"It returned {shape} for labels {wanted}: one coin for each sentence."
            raise Verdict(WRONG_SHAPE, seen)
    if seen := _unfair(outcomes[0].value, given[0]):
        raise Verdict(WRONG_VALUES, seen)
    return f"Fair, and no news of the sentence: {LABELS:,} labels looked at."


def _unfair(drawn: Tensor, given: Tensor) -> str:
    """What tells the labels from a fair coin's; "" if nothing does."""
    if drawn.dtype != torch.int64:
        return f"It returned {drawn.dtype}; the loss needs class numbers, torch.long."
    found = sorted(set(drawn.tolist()))
    if not {0, 1}.issuperset(found):
        return f"The labels run from {found[0]} to {found[-1]}, not 0 and 1."
    if len(found) == 1:
        return f"Every label is {found[0]}: that can be learned without reading a word."
    same, heads = (drawn == given).double().mean().item(), drawn.double().mean().item()
    if abs(same - 0.5) > UNFAIR:
        return (
            f"{about(100 * same)} % of your labels agree with the given ones, a coin's in 50 %: "
            "the sentence still has something to say about them."
        )
    if abs(heads - 0.5) > UNFAIR:
        return f"{about(100 * heads)} % are 1: a fair coin shows 50 %."
    return ""


def _labels(value: Any) -> Tensor:
    if not isinstance(value, Tensor):
        raise Verdict(FAILED, f"It returned {type(value).__name__}; a torch tensor is needed.")
    return value.detach()


@exercise("08", 2, "Break the scoreboard", points=4, minutes=10, difficulty=3)
def my_rnn(answer: Any) -> str:
    """Check a function that returns a plain RNN trained, somehow, for gap 20."""
    (made,) = attempt(answer, [{}], network, kinds=("own",), seconds=RUN_SECONDS)
    model = made.value
    if seen := _not_plain(model):
        raise Verdict(WRONG_VALUES, seen, head="not a plain RNN")
    right = {gap: accuracy_of(model, AgreementTask(gap, "none", seed=8200)) for gap in (5, 10, GAP)}
    seen = f"Right on {about(100 * right[GAP])} % of {SENTENCES} fresh sentences at gap {GAP}."
    if right[GAP] >= WANTED:
        far = accuracy_of(model, AgreementTask(300, "none", seed=8200))
        return f"{seen}\nAt gap 300, which nobody asked for: {sized(100 * far)} %."
    shorter = ", ".join(f"{about(100 * right[gap])} % at gap {gap}" for gap in (5, 10))
    advice = "It has not learned the short ones either: begin with those."
    if right[5] >= WANTED:
        advice = "It can do the short ones: what lies between them and 20?"
    lines = f"{seen} {WANTED:.0%} are wanted.", f"And {shorter}. {advice}"
    raise Verdict(WRONG_VALUES, *lines, head="the scoreboard stands")


def _not_plain(model: nn.Module) -> str:
    """What makes the network no plain tanh RNN with trained weights; "" if nothing does."""
    layers: list[Any] = [m for m in model.modules() if hasattr(m, "weight_hh_l0")]
    if len(layers) != 1:
        return f"It has {len(layers)} recurrent layers; one is allowed."
    rows, hidden = layers[0].weight_hh_l0.shape
    if rows > hidden:
        return "It has gates: the point is to do without."
    if hidden > UNITS or getattr(layers[0], "num_layers", 1) > 1:
        return f"It has {hidden} units in a layer; one layer of {UNITS} is allowed."
    if getattr(layers[0], "nonlinearity", "tanh") != "tanh" or hasattr(layers[0], "keep"):
        return "Its step is not h = tanh(W h + U x + b)."
    words = next(iter(model.parameters()))
    if ((words == 0) | (words == 1)).all():
        return "Its weights were set by hand, as in notebook 02: here training finds them."
    return ""
