"""Exercises of notebook 06: a threshold from a log, and a step that leaves out what is broken."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from helpers import training
from helpers.checks.attempt import attempt, check_errors
from helpers.checks.compare import number
from helpers.checks.registry import exercise
from helpers.checks.results import WRONG_VALUES, Verdict
from helpers.validation import Array

LOW, HIGH = 0.5, 10.0  # times the usual norm


def _logs() -> list[tuple[str, Array]]:
    """Logs of norms in different units, calm, with leaps, and with steps that overflowed."""
    rng = np.random.default_rng(63)
    calm = 0.5 * np.exp(0.2 * rng.normal(size=200))
    leaps, broken = calm.copy(), calm.copy()
    leaps[[40, 90, 91]] = 3e6, 2e9, 5e5
    broken[[150, 151, 199]] = np.inf, np.nan, np.inf
    both = 2000 * leaps
    both[[3, 60]] = np.nan, np.inf
    return [
        ("a calm log", calm),
        ("a log with three leaps", leaps),
        ("a log of which three steps overflowed", broken),
        ("a log with norms in the thousands, leaps, inf and NaN", both),
    ]


@exercise("06", 3, "Choose a threshold", points=2, minutes=4, difficulty=2)
def choose_threshold(answer: Any) -> str:
    """Check a function of norms (steps,) that returns a threshold."""
    logs = _logs()
    cases = [{"norms": norms} for _, norms in logs]
    outcomes = attempt(answer, cases, number)
    check_errors(answer, cases, outcomes)
    for (name, norms), outcome in zip(logs, outcomes, strict=True):
        c, usual = outcome.value, float(np.median(norms[np.isfinite(norms)]))
        if LOW * usual <= c <= HIGH * usual:
            continue
        seen = f"On {name} it returned {c:.3g}, where the usual norm is {usual:.3g}."
        raise Verdict(WRONG_VALUES, seen, _suggested(c, usual, norms), head="wrong values")
    return "Right on four logs: the usual step passes, and the leaps are cut."


def _suggested(c: float, usual: float, norms: Array) -> str:
    """What a threshold outside the range suggests."""
    finite = norms[np.isfinite(norms)]
    if not np.isfinite(c):
        return "Steps that overflowed are in it: leave inf and NaN out first."
    if c <= 0:
        return "A threshold is above 0."
    for value, says in (
        (finite.mean(), "That is the mean, which the leaps have moved."),
        (finite.max(), "That is the largest norm: nothing would be cut."),
    ):
        if abs(c / value - 1) < 1e-3:
            return says
    if c > usual:
        return "So large a threshold lets the leaps through. Have they moved it?"
    return "So small a threshold cuts every step: does it follow the log's own units?"


class _Scene:
    """A small model whose gradients are of a given norm, or hold one bad entry."""

    def __init__(self, norm: float, bad: float | None = None) -> None:
        torch.manual_seed(64)  # every scene is the same; the check puts the notebook's draw back
        self.model = nn.Linear(3, 2)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1, momentum=0.9)
        self.steps = 0
        self.optimizer.register_step_post_hook(lambda *_: self._stepped())
        drawn = [torch.randn(p.shape) for p in self.model.parameters()]
        length = float(torch.cat([d.flatten() for d in drawn]).norm())
        for parameter, gradient in zip(self.model.parameters(), drawn, strict=True):
            self.optimizer.state[parameter]["momentum_buffer"] = torch.ones_like(parameter)
            parameter.grad = gradient * (norm / length)
        if bad is not None and self.model.weight.grad is not None:
            self.model.weight.grad[1, 2] = bad
        self.before = self.parameters()

    def _stepped(self) -> None:
        self.steps += 1

    def parameters(self) -> Tensor:
        return nn.utils.parameters_to_vector(self.model.parameters()).detach()

    def call(self, answer: Any, skipped: int) -> Any:
        """What the learner's step returns, with c = 1 and a limit of 5 in a row."""
        case = {"model": self.model, "optimizer": self.optimizer, "c": 1.0}
        case |= {"skipped": skipped, "limit": 5}
        (made,) = attempt(answer, [case], lambda v: v, may_return_none=True, kinds=("own",))
        return made.value


BROKEN = (
    ("one gradient holds inf", 5.0, torch.inf),
    ("one gradient holds NaN", 5.0, torch.nan),
    ("the norm overflows though every entry is finite", 1.0, 2e19),
)


@exercise("06", 4, "A safe step", points=3, minutes=7, difficulty=3)
def safe_step(answer: Any) -> str:
    """Check a function of (model, optimizer, c, skipped, limit) that steps or leaves out."""
    for norm in (8.0, 0.3):
        _judge_sound(answer, norm)
    for what, norm, bad in BROKEN:
        scene = _Scene(norm, bad)
        returned = scene.call(answer, skipped=1)
        if scene.steps or not scene.parameters().equal(scene.before):
            raise _wrong(
                f"When {what}, the optimizer stepped and the parameters moved.",
                "A gradient of 0 moves them too, where there is momentum: do not step at all.",
            )
        if returned != 2:
            raise _wrong(f"When {what} after 1 left out, it returned {returned!r}; 2 is right.")
    _judge_limit(answer)
    return "Sound gradients are clipped and used; broken ones are left out and counted."


def _judge_sound(answer: Any, norm: float) -> None:
    scene, other = _Scene(norm), _Scene(norm)
    returned = scene.call(answer, skipped=2)
    training.safe_step(other.model, other.optimizer, 1.0, 2, 5)
    if scene.steps != 1:
        raise _wrong(f"With a gradient of norm {norm:g} the optimizer stepped {scene.steps} times.")
    if not torch.allclose(scene.parameters(), other.parameters(), rtol=1e-4):
        raise _wrong(
            f"With a gradient of norm {norm:g} and c = 1 the step is not the clipped one.",
            "Is clip_grad_norm_ called, with c, before the step?",
        )
    if returned != 0:
        raise _wrong(f"After a sound step it returned {returned!r}: none in a row is left out, 0.")


def _judge_limit(answer: Any) -> None:
    for skipped in (3, 4):
        try:
            returned = _Scene(5.0, torch.nan).call(answer, skipped)
        except Verdict as verdict:
            if "RuntimeError" not in " ".join(verdict.lines):
                raise
            if skipped == 3:
                raise _wrong(
                    "With limit 5 it stopped at the 4th update left out in a row."
                ) from None
        else:
            if skipped == 4:
                raise _wrong(
                    f"With limit 5, at the 5th update left out in a row, it returned {returned!r}.",
                    "There it should raise a RuntimeError: a run that only skips is over.",
                )


def _wrong(*lines: str) -> Verdict:
    return Verdict(WRONG_VALUES, *lines, head="not safe yet")
