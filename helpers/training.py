"""One training loop for every notebook."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor, nn

from helpers.measure.nonfinite import nonfinite_tensors
from helpers.measure.signal import signal
from helpers.task.agreement import AgreementTask
from helpers.validation import Array, choice, integer, number_above

OPTIMIZERS = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}
RULES = ("by norm", "by value", "per tensor")


@dataclass(frozen=True)
class History:
    """What one run did.

    loss, gradient_norm, clip_coefficient: (steps,) one entry for each optimizer step:
    the batch's mean cross-entropy (nats), the norm of all gradients before clipping,
    and the factor they were multiplied by (1 where nothing was clipped).
    checks: (step, accuracy on fresh sentences) at each check, in order.
    watched: what `watch` returned before the first step and at each check.
    learned_at: the step of the check that reached the target, or None.
    stopped: why the run ended: "learned", "budget" or "non-finite". In the last case the
    last entries belong to the step that was not kept.
    """

    loss: Array
    gradient_norm: Array
    clip_coefficient: Array
    checks: tuple[tuple[int, float], ...]
    learned_at: int | None
    stopped: str
    watched: tuple[Any, ...] = ()

    @property
    def accuracy(self) -> float:
        """Accuracy on fresh sentences at the last check."""
        return self.checks[-1][1]

    @property
    def message(self) -> str:
        """How the run ended, in one clause that holds on any processor."""
        step = f"{len(self.loss):,}"
        if self.stopped == "learned":
            return f"learned after ~ {step} steps"
        if self.stopped == "budget":
            return f"not learned in {step} steps (accuracy ~ {self.accuracy:.2f})"
        causes = {"the loss": self.loss, "the gradient's norm": self.gradient_norm}
        broken = (cause for cause, values in causes.items() if not np.isfinite(values[-1]))
        cause = next(broken, "a parameter")
        return f"stopped: {cause} turned non-finite at step ~ {step}, which was not kept"


def one_thread() -> threadpool_limits:
    """Keep PyTorch and NumPy on one thread inside this context.

    Networks of 32 units are too small to share: threads that wait for each other make a
    step up to ten times slower, and change the order of sums, so the outcome with it.
    """
    return threadpool_limits(limits=1)


@torch.no_grad()
def accuracy(model: nn.Module, task: AgreementTask, sentences: int = 256) -> float:
    """Share of right verbs on sentences drawn from the task, in batches of at most 64.

    Raises ValueError if sentences is below 1.
    """
    left = integer("sentences", sentences, minimum=1)
    right = 0
    with one_thread():
        while left:
            tokens, labels = task.batch(min(left, 64))
            right += int((model(tokens).argmax(1) == labels).sum())
            left -= len(labels)
    return right / sentences


def log_row(model: Any, tokens: Tensor, labels: Tensor) -> dict[str, float]:
    """Do the backward pass of one batch, and return four numbers that tell how a run is.

    model: a Classifier; tokens (n, steps), labels (n,). loss: mean cross-entropy in nats;
    norm: of all gradients together; saturated: share of the states' entries beyond 0.99 in
    size; reach: signal at the first word over signal at the last, mean over the sentences.
    The parameters' .grad is this batch's afterwards.
    """
    model.zero_grad()
    loss = nn.functional.cross_entropy(model(tokens), labels)
    loss.backward()
    norm = torch.stack([p.grad.norm() for p in model.parameters() if p.grad is not None]).norm()
    signals = signal(model, tokens)
    with torch.no_grad():
        saturated = (model.states(tokens).abs() > 0.99).double().mean().item()
    with np.errstate(invalid="ignore", over="ignore"):
        reach = float((signals[:, 0] / signals[:, -1]).mean())
    return {"loss": loss.item(), "norm": norm.item(), "saturated": saturated, "reach": reach}


def safe_step(
    model: nn.Module, optimizer: torch.optim.Optimizer, c: float, skipped: int, limit: int
) -> int:
    """Clip the gradients to norm c and step, or leave the update out where their norm is broken.

    skipped: updates left out in a row so far. Returns that number after this one: 0 when
    the optimizer stepped.
    Raises RuntimeError when the number reaches limit.
    """
    norm = nn.utils.clip_grad_norm_(model.parameters(), c)
    if norm.isfinite():
        optimizer.step()
        return 0
    if skipped + 1 >= limit:
        raise RuntimeError(f"{skipped + 1} updates in a row had a norm of {norm.item()}")
    return skipped + 1


def train(
    model: nn.Module,
    task: AgreementTask,
    fresh: AgreementTask,
    *,
    steps: int,
    learning_rate: float,
    optimizer: str = "adam",
    clip_norm: float | None = 1.0,
    rule: str = "by norm",
    batch_size: int = 32,
    check_every: int = 20,
    target: float = 0.95,
    title: str | None = None,
    watch: Callable[[nn.Module], Any] | None = None,
) -> History:
    """Train until the model is right on fresh sentences, or the budget is spent.

    Each step draws a batch from task, clips the gradient at clip_norm (None: no clipping)
    and takes one optimizer step. rule: "by norm", the global one; "by value", each entry
    on its own; "per tensor", each parameter's norm on its own. Every check_every steps, and
    after the last one, the accuracy on 256 sentences from fresh is taken; at target
    the run stops. watch, called with the model before the first step and at each check,
    may measure it and must leave it as it is. When the loss, the gradient's norm or a
    parameter turns non-finite the run stops, and the model keeps the parameters from
    before that step.
    title: name of the run; one line under it is printed, rewritten at each check, that ends
    in how the run ended. None prints nothing. With COURSE_TRAINING="last line" in the
    environment, as in tests and stored notebooks, the end alone is printed.
    Raises ValueError if a number is out of range, the optimizer is unknown, or the model
    has parameters that are not finite to begin with.
    """
    counts = {"steps": steps, "batch_size": batch_size, "check_every": check_every}
    for name, count in counts.items():
        integer(name, count, minimum=1)
    number_above("learning_rate", learning_rate, 0)
    number_above("target", target, 0)
    limit = inf
    if clip_norm is not None:
        limit = number_above("clip_norm (None for no clipping)", clip_norm, 0)
    choice("optimizer", optimizer, OPTIMIZERS)
    choice("rule", rule, RULES)
    parameters = list(model.parameters())
    if bad := nonfinite_tensors(model.named_parameters()):
        raise ValueError(f"the model cannot be trained from these parameters: {bad[0]}")
    update = OPTIMIZERS[optimizer](parameters, lr=learning_rate)
    log: list[tuple[float, float, float]] = []
    checks: list[tuple[int, float]] = []
    stopped = "budget"
    line = _Line(title)
    with one_thread():
        watched = [watch(model)] if watch else []
        for step in range(1, steps + 1):
            tokens, labels = task.batch(batch_size)
            update.zero_grad()
            loss = nn.functional.cross_entropy(model(tokens), labels)
            loss.backward()
            norm = float(nn.utils.clip_grad_norm_(parameters, limit if rule == "by norm" else inf))
            if rule == "by value":
                nn.utils.clip_grad_value_(parameters, limit)
            elif rule == "per tensor":
                for parameter in parameters:
                    nn.utils.clip_grad_norm_([parameter], limit)
            log.append((loss.item(), norm, min(1.0, limit / (norm + 1e-6))))
            before = [parameter.detach().clone() for parameter in parameters]
            if finite := np.isfinite(log[-1][:2]).all():
                update.step()
            if not finite or not all(parameter.isfinite().all() for parameter in parameters):
                stopped = "non-finite"
                for parameter, value in zip(parameters, before, strict=True):
                    parameter.data.copy_(value)
            if stopped == "non-finite" or step % check_every == 0 or step == steps:
                checks.append((step, accuracy(model, fresh)))
                watched += [watch(model)] if watch else []
                line.rewrite(f"step {step:,} of {steps:,}, accuracy {checks[-1][1]:.2f}")
                if stopped != "non-finite" and checks[-1][1] >= target:
                    stopped = "learned"
            if stopped != "budget":
                break
    learned_at = checks[-1][0] if stopped == "learned" else None
    loss_log, norms, factors = np.array(log).T
    history = History(loss_log, norms, factors, tuple(checks), learned_at, stopped, tuple(watched))
    line.end(history.message)
    return history


class _Line:
    """One printed line, rewritten in place until its end; without a title none."""

    def __init__(self, title: str | None) -> None:
        self.title, self.width, self.start = title, 0, time.perf_counter()
        self.live = os.environ.get("COURSE_TRAINING") != "last line"

    def rewrite(self, words: str, end: str = "") -> None:
        if self.title is not None and (self.live or end):
            text = f"{self.title}: {words}"
            print("\r" * bool(self.width) + text.ljust(self.width), end=end, flush=True)
            self.width = len(text)

    def end(self, words: str) -> None:
        seconds = math.ceil(time.perf_counter() - self.start)
        self.rewrite(f"{words}, ~ {seconds} s", end="\n")
