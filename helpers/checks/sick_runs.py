"""Exercises of notebook 05: a logger of training steps, and four sick runs to diagnose by it."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from helpers import training
from helpers.checks.attempt import attempt
from helpers.checks.registry import exercise
from helpers.checks.results import FAILED, WRONG_VALUES, Verdict
from helpers.measure import signal
from helpers.networks import Classifier, gain_classifier
from helpers.task import AgreementTask, vocabulary
from helpers.validation import Array

KEYS = ("loss", "norm", "saturated", "reach")
Row = Mapping[str, float]


def _scenes() -> list[tuple[Classifier, Tensor, Tensor]]:
    """Networks that hold an old gradient, one with a weight that nothing uses, and a batch."""
    scenes = []
    for seed, gain in enumerate((4.0, 0.6, 2.0)):
        model = gain_classifier(len(vocabulary()), gain, seed=seed)
        for parameter in model.parameters():
            parameter.grad = torch.full_like(parameter, 0.1)
        if seed == 1:
            model.unused = nn.Parameter(torch.ones(3))
        scenes.append((model, *AgreementTask(6, seed=seed).batch(8)))
    return scenes


def _gradients(model: nn.Module) -> list[Tensor]:
    return [p.grad for p in model.parameters() if p.grad is not None]


def _norms(model: nn.Module) -> Tensor:
    return torch.stack([gradient.norm() for gradient in _gradients(model)])


class _Seen(NamedTuple):
    """What a mistake may be made from, after a right backward pass of this batch."""

    model: Classifier
    tokens: Tensor
    labels: Tensor

    @property
    def states(self) -> Tensor:
        return self.model.states(self.tokens).detach()

    @property
    def signals(self) -> Array:
        return signal(self.model, self.tokens)


LOG_MISTAKES: dict[str, tuple[tuple[str, Callable[[_Seen], float]], ...]] = {
    "loss": (
        (
            "It is the sum over the sentences; the mean is asked for.",
            lambda s: float(
                nn.functional.cross_entropy(s.model(s.tokens), s.labels, reduction="sum").detach()
            ),
        ),
    ),
    "norm": (
        ("Squares add up, norms do not: you added the norms.",
         lambda s: float(_norms(s.model).sum())),
        ("It is the largest tensor's norm: all of them count.",
         lambda s: float(_norms(s.model).max())),
        ("Is the square root missing?", lambda s: float(_norms(s.model).square().sum())),
        ("It is the mean of the tensors' norms.", lambda s: float(_norms(s.model).mean())),
    ),
    "saturated": (
        (
            "A unit may be stuck at -1 as well: look at the size of a state.",
            lambda s: float((s.states > 0.99).double().mean()),
        ),
        ("It is in percent; a share of 1 is asked for.",
         lambda s: 100 * float((s.states.abs() > 0.99).double().mean())),
        ("It is the mean size of the states: count those beyond 0.99.",
         lambda s: float(s.states.abs().mean())),
        ("It is a number of entries; their share is asked for.",
         lambda s: float((s.states.abs() > 0.99).sum())),
        ("You looked at the last state alone: every word's counts.",
         lambda s: float((s.states[:, -1].abs() > 0.99).double().mean())),
        ("It is the share that is *not* saturated.",
         lambda s: float((s.states.abs() <= 0.99).double().mean())),
    ),
    "reach": (
        ("It is upside down: first word over last.",
         lambda s: float((s.signals[:, -1] / s.signals[:, 0]).mean())),
        ("It is the signal at the first word itself: divide by the last word's.",
         lambda s: float(s.signals[:, 0].mean())),
        ("You divided the first sentence's signals by the last's: words run along the second axis.",
         lambda s: float((s.signals[0] / s.signals[-1]).mean())),
        ("It belongs to the first sentence alone: average over all.",
         lambda s: float(s.signals[0, 0] / s.signals[0, -1])),
    ),
}  # fmt: skip


@exercise("05", 2, "The logger", points=3, minutes=8, difficulty=2)
def log_row(answer: Any) -> str:
    """Check a function of (model, tokens, labels) that returns the four numbers of a step."""
    for model, tokens, labels in _scenes():
        right_model = copy.deepcopy(model)
        right = training.log_row(right_model, tokens, labels)
        case = {"model": model, "tokens": tokens, "labels": labels}
        row = attempt(answer, [case], _row, kinds=("own",))[0].value
        seen = _Seen(right_model, tokens, labels)
        for key in KEYS:
            if not math.isclose(row[key], right[key], rel_tol=1e-4, abs_tol=1e-9):
                raise Verdict(WRONG_VALUES, *_said_of(key, row[key], right[key], seen, model))
        if not _same_gradient(model, right_model):
            raise Verdict(
                WRONG_VALUES,
                "The row is right, but the gradients it leaves are not those of this batch alone.",
                _left_behind(model, right_model),
            )
    return "Right on three networks, and the gradients left behind are this batch's alone."


def _row(value: Any) -> dict[str, float]:
    """The four numbers as floats; raises a Verdict naming what came instead."""
    if not isinstance(value, Mapping):
        raise Verdict(FAILED, f"It returned a {type(value).__name__}; return a dict.")
    if missing := [key for key in KEYS if key not in value]:
        raise Verdict(FAILED, f"The dict has no {missing[0]!r}: its keys are {', '.join(KEYS)}.")
    return {key: _number(key, value[key]) for key in KEYS}


def _number(key: str, value: Any) -> float:
    try:
        return float(value.detach() if isinstance(value, Tensor) else value)
    except (TypeError, ValueError, RuntimeError):
        shape = f" of shape {tuple(value.shape)}" if hasattr(value, "shape") else ""
        kind = type(value).__name__
        raise Verdict(FAILED, f"{key!r} is a {kind}{shape}; one number is needed.") from None


def _said_of(key: str, got: float, right: float, seen: _Seen, model: nn.Module) -> list[str]:
    """What is wrong with one number of a row, and which mistake that suggests."""
    lines = [f"{key!r} is {got:.4g} where {right:.4g} is right."]
    if key == "norm" and not _same_gradient(model, seen.model):
        old = [p.grad for p in model.parameters() if p.grad is not None]
        if not old:
            return [*lines, "There is no gradient yet: has backward been called?"]
        return [*lines, "The parameters hold more than this batch's gradient: is zero_grad there?"]
    for says, formula in LOG_MISTAKES[key]:
        if math.isclose(got, formula(seen), rel_tol=1e-4, abs_tol=1e-9):
            return [*lines, says]
    return lines


def _left_behind(model: nn.Module, right: nn.Module) -> str:
    """What gradients other than this batch's suggest."""
    if not any(gradient.any() for gradient in _gradients(model)):
        return "They are gone: zero_grad belongs before backward."
    if _norms(model).norm() < 0.99 * _norms(right).norm():
        return "They are shorter than this batch's: were they clipped?"
    return "An earlier batch's gradient is still in .grad, or backward was called twice."


def _same_gradient(model: nn.Module, right: nn.Module) -> bool:
    pairs = zip(model.parameters(), right.parameters(), strict=True)
    return all(
        (a.grad is None and b.grad is None)
        or (a.grad is not None and torch.allclose(a.grad, _or_zero(b), rtol=1e-4, atol=1e-7))
        or (a.grad is None and not _or_zero(b).any())
        for a, b in pairs
    )


def _or_zero(parameter: nn.Parameter) -> Tensor:
    return torch.zeros_like(parameter) if parameter.grad is None else parameter.grad


class Sickness(NamedTuple):
    """How one run is made ill, and by which mark of its log it is known.

    gap, gain, kind: of its sentences and its W. mark: whether a log shows it. else_: what a
    log without the mark shows instead, in words, from its rows.
    """

    gap: int
    gain: float
    kind: str
    mark: Callable[[Mapping[str, Array]], bool]
    misses: str


def _ends(rows: Mapping[str, Array], key: str) -> float:
    return float(rows[key][-1])


SICKNESSES = {
    "forward explosion": Sickness(
        44, 1.5, "linear",
        lambda rows: not math.isfinite(_ends(rows, "loss")) or _ends(rows, "loss") > 1e4,
        "states that overflow take the loss with them, and its last loss is {loss:.2g}",
    ),
    "backward overflow": Sickness(
        1000, 4.0, "tanh",
        lambda rows: not math.isfinite(_ends(rows, "norm")) and _ends(rows, "loss") < 1e4,
        "the norm would end as inf or NaN while the loss stays ordinary; its last norm is "
        "{norm:.2g} and its last loss {loss:.2g}",
    ),
    "silent saturation": Sickness(
        44, 4.0, "tanh",
        lambda rows: math.isfinite(_ends(rows, "norm")) and _ends(rows, "saturated") > 0.9,
        "nearly all units would be stuck at the end of a run that goes on, and its share of "
        "saturated units ends at {saturated:.2f} after {rows} of 20 rows",
    ),
    "vanishing": Sickness(
        80, 3**-0.5, "tanh",
        lambda rows: math.isfinite(_ends(rows, "norm")) and _ends(rows, "saturated") < 0.5,
        "its run would go on with units that move freely, and this one has {rows} of 20 rows and "
        "ends with a share of {saturated:.2f} saturated",
    ),
}  # fmt: skip
ORDER = np.random.default_rng(5).permutation(len(SICKNESSES))
HIDDEN = dict(zip("ABCD", (list(SICKNESSES)[place] for place in ORDER), strict=True))


def sick_runs(
    log_row: Callable[[nn.Module, Tensor, Tensor], Row], steps: int = 20
) -> dict[str, dict[str, Array]]:
    """Train networks A to D by plain SGD, each with an illness, and log every step.

    log_row: called with model, tokens and labels; leaves the batch's gradient in .grad.
    Returns for each letter the four numbers, (rows,) each. A run ends when its norm is inf
    or NaN.
    """
    logs = {}
    with training.one_thread():
        for seed, (letter, name) in enumerate(HIDDEN.items()):
            sickness = SICKNESSES[name]
            model = gain_classifier(
                len(vocabulary()), sickness.gain, nonlinearity=sickness.kind, seed=20 + seed
            )
            task = AgreementTask(sickness.gap, seed=20 + seed)
            update = torch.optim.SGD(model.parameters(), lr=0.1)
            rows: list[Row] = []
            while len(rows) < steps and (not rows or math.isfinite(rows[-1]["norm"])):
                rows.append(log_row(model, *task.batch(8 if sickness.gap > 100 else 32)))
                update.step()
            logs[letter] = {key: np.array([row[key] for row in rows]) for key in KEYS}
    return logs


@exercise("05", 3, "Whodunit", points=2, minutes=6, difficulty=3)
def diagnose(answer: Any) -> str:
    """Check a function without arguments that returns the illness of each run by its letter."""
    claimed = attempt(answer, [{}], _claims)[0].value
    logs = sick_runs(training.log_row)
    lines = []
    for letter, name in claimed.items():
        rows = logs[letter]
        if not SICKNESSES[name].mark(rows):
            numbers = {key: _ends(rows, key) for key in KEYS}
            reason = SICKNESSES[name].misses.format(**numbers, rows=len(rows["loss"]))
            lines.append(f"{letter} is no {name}: {reason}.")
    if lines:
        raise Verdict(WRONG_VALUES, *lines, head="not yet")
    return "All four are right. Each has its mark, and no single number shows all of them."


def _claims(value: Any) -> dict[str, str]:
    """The illness claimed for each letter; raises a Verdict naming what is wrong with them."""
    if not isinstance(value, Mapping) or set(value) != set(HIDDEN):
        letters = ", ".join(map(repr, HIDDEN))
        raise Verdict(FAILED, f"Return a dict with the keys {letters}, one illness for each.")
    for letter, name in value.items():
        if name not in SICKNESSES:
            known = ", ".join(map(repr, SICKNESSES))
            raise Verdict(FAILED, f"{letter} is {name!r}, which is none of {known}.")
    if len(set(value.values())) < len(HIDDEN):
        raise Verdict(FAILED, "Two runs have the same illness in your dict; no two have.")
    return dict(value)
