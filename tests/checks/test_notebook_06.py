"""Answers to notebook 06's exercises: right ones written differently, wrong ones named."""

from __future__ import annotations

import math

import numpy as np
import torch
from planted import planted_tests
from torch.nn.utils import clip_grad_norm_

from helpers import measure, training
from helpers.checks.results import FAILED, WRONG_SHAPE


def clip_in_place(gradients, c):
    norm = torch.linalg.vector_norm(torch.cat([g.flatten() for g in gradients]))
    if norm > c:
        for g in gradients:
            g *= c / norm
    return gradients


def clip_by_torch(gradients, c):
    weights = [torch.nn.Parameter(torch.zeros_like(g)) for g in gradients]
    for weight, g in zip(weights, gradients, strict=True):
        weight.grad = g.clone()
    clip_grad_norm_(weights, c)
    return [weight.grad for weight in weights]


def clip_in_numpy(gradients, c):
    arrays = [np.asarray(g, dtype=np.float32) for g in gradients]
    factor = min(1, c / (np.sqrt(sum(np.sum(a**2) for a in arrays)) + 1e-6))
    return tuple(factor * a for a in arrays)


def length(gradients):
    return float(torch.sqrt(sum((g**2).sum() for g in gradients)))


def scaled(gradients, c, norm):
    return [g * (c / norm if norm > c else 1) for g in gradients]


def loop(order):
    """A training step that does z(ero_grad), b(ackward), c(lip) and s(tep) in this order."""

    def train_step(model, loss, optimizer, c):
        acts = {
            "z": optimizer.zero_grad,
            "b": loss.backward,
            "c": lambda: clip_grad_norm_(model.parameters(), c),
            "v": lambda: torch.nn.utils.clip_grad_value_(model.parameters(), c),
            "p": lambda: [clip_grad_norm_([p], c) for p in model.parameters()],
            "s": optimizer.step,
        }
        for letter in order:
            acts[letter]()

    return train_step


def loop_by_hand(model, loss, optimizer, c):
    weights = [model.weight, model.bias]
    for p in weights:
        p.grad = None
    for p, g in zip(weights, torch.autograd.grad(loss, weights), strict=True):
        p.grad = g
    clip_grad_norm_(weights, c)
    optimizer.step()


def loop_with_closure(model, loss, optimizer, c):
    def closure():
        loop("zbc")(model, loss, optimizer, c)
        return loss

    assert optimizer.step(closure) is loss


def loop_with(factor):
    """A training step that multiplies each gradient by factor(norm, c)."""

    def train_step(model, loss, optimizer, c):
        model.zero_grad(set_to_none=False)
        loss.backward()
        norm = math.sqrt(sum(float(p.grad.square().sum()) for p in model.parameters()))
        for p in model.parameters():
            p.grad *= factor(norm, c)
        optimizer.step()

    return train_step


def loop_that_looks_afterwards(model, loss, optimizer, c):
    loop("zbs")(model, loss, optimizer, c)
    print(end="" if sum(p.grad.norm() for p in model.parameters()) else "0")


def finite(norms):
    return norms[np.isfinite(norms)]


def raising(model, optimizer, c, skipped, limit):
    try:
        clip_grad_norm_(model.parameters(), c, error_if_nonfinite=True)
    except RuntimeError:
        if skipped + 1 == limit:
            raise
        return skipped + 1
    optimizer.step()
    return 0


def safe_by_hand(model, optimizer, c, skipped, limit):
    norm = torch.cat([p.grad.flatten() for p in model.parameters()]).norm()
    if not torch.isfinite(norm):
        if skipped + 1 >= limit:
            raise RuntimeError("over")
        return skipped + 1
    for p in model.parameters():
        p.grad *= min(1.0, c / (float(norm) + 1e-6))
    optimizer.step()
    return 0


def variant(*, sound=torch.isfinite, factor=1, times=1, after=0, by=1, stops=5):
    """A safe step with one thing changed."""

    def step(model, optimizer, c, skipped, limit):
        if sound(clip_grad_norm_(model.parameters(), factor * c)):
            for _ in range(times):
                optimizer.step()
            return after
        if skipped + 1 >= stops:
            raise RuntimeError("over")
        return skipped + by

    return step


RIGHT = {
    "clip_by_norm": [clip_in_place, clip_by_torch, clip_in_numpy],
    "train_step": [
        loop("zbcs"),
        loop("zbcsz"),
        loop_with(lambda norm, c: min(1, c / norm)),
        loop_by_hand,
        loop_with_closure,
    ],
    "choose_threshold": [
        measure.choose_threshold,
        lambda norms: np.median(finite(norms)),
        lambda norms: float(np.nanquantile(np.where(np.isinf(norms), np.nan, norms), 0.9)),
        lambda norms: 5 * sorted(n for n in norms.tolist() if abs(n) < float("inf"))[80],
    ],
    "safe_step": [training.safe_step, raising, safe_by_hand],
}
WRONG = {
    "clip_by_norm": [
        (lambda g, c: [x.clamp(-c, c) for x in g], "clipping by value"),
        (lambda g, c: [scaled([x], c, length([x]))[0] for x in g], "Did you clip each tensor"),
        (lambda g, c: [x * c / max(length(g), 1e-12) for x in g], "shorter than c became longer"),
        (lambda g, c: scaled(g, c, length(g) ** 2), "square root missing"),
        (lambda g, c: [x * (c / length(g) if length(g) ** 2 > c else 1) for x in g],
         "missing where you compare with c?"),
        (lambda g, c: [x * (c / length(g) ** 2 if length(g) > c else 1) for x in g],
         "square root missing"),
        (lambda g, c: scaled(g, c, sum(length([x]) for x in g)), "the squares add up"),
        (lambda g, c: scaled(g, c, max(float(x.abs().max()) for x in g)), "largest entry"),
        (lambda g, c: scaled(g, c, sum(float(x.abs().sum()) for x in g)),
         "sum of the entries' sizes"),
        (lambda g, c: g, "Nothing was clipped"),
        (lambda g, c: [x * max(1, length(g) / c) for x in g], "upside down"),
        (lambda g, c: length(g), "returns the norm", WRONG_SHAPE),
        (lambda g, c: torch.cat([x.flatten() for x in scaled(g, c, length(g))]),
         "It returned one Tensor", WRONG_SHAPE),
        (lambda g, c: [x + 1 for x in g], "degrees away"),
        (lambda g, c: scaled(g, c, float(sum((g[i] ** 2).sum() for i in range(3)) ** 0.5)),
         "the first that is wrong had gradients [(2, 3, 2), (), (3,), (4, 1)]."),
        (lambda g, c: scaled(g[:3], c, length(g[:3])),
         "called with a list of 4 and returned 3", WRONG_SHAPE),
        (lambda g, c: scaled(g, c, length(g[:3])), "It is right on 9 of 10 inputs"),
        (lambda g, c: scaled(g, 1.0, length(g)), "You clipped to 1; c is"),
    ],
    "train_step": [
        (loop("zcbs"), "You clipped before backward"),
        (loop("zbsc"), "You clipped after the step"),
        (loop("zbs"), "not clipped at all"),
        (loop("bcs"), "an earlier batch"),
        (loop("bzcs"), "does zero_grad come after it?"),
        (loop_with(lambda norm, c: 0), "What backward had computed was wiped out"),
        (loop_with(lambda norm, c: c / norm if norm**2 > c else 1),
         "A short gradient became longer: it is to stay as it is."),
        (lambda m, loss, o, c: loop("zbcs")(m, loss, o, 100 * c), "more than its own norm"),
        (loop_that_looks_afterwards, "was not clipped at all"),
        (loop("bcsz"), "zero_grad came too late for it"),
        (loop("zbc"), "step() was never called"),
        (loop("zbcss"), "2 times"),
        (loop("zcs"), "backward() was never called"),
        (loop("zsbc"), "stepped before loss.backward()"),
        (loop("zbvs"), "clipping by value"),
        (lambda model, loss, optimizer, c: loop("zbcs")(model, loss, optimizer, 2 * c),
         "has norm 2, where c is 1"),
        (lambda model, loss, optimizer, c: loop("zbcs")(model, loss, optimizer, 1.0),
         "is it c that it was clipped to?"),
        (loop("zbps"), "Did you clip each tensor by a norm of its own?"),
        (lambda *given: (given[2].step(lambda: loop("zb")(*given)), loop("c")(*given)),
         "You clipped after the step"),
        (loop("zbbcs"), "RuntimeError", FAILED),
    ],
    "choose_threshold": [
        (lambda norms: np.mean(finite(norms)), "the mean, which the leaps have moved"),
        (lambda norms: 1.0, "follow the log's own units"),
        (lambda norms: np.mean(norms), "On a log with three leaps"),
        (lambda norms: np.max(finite(norms)), "nothing would be cut"),
        (lambda norms: 1000 * np.median(finite(norms)), "lets the leaps through"),
        (lambda norms: np.median(norms), "leave inf and NaN out"),
        (lambda norms: -np.median(norms), "above 0"),
        (lambda norms: norms, "one number is needed", WRONG_SHAPE),
    ],
    "safe_step": [
        (variant(sound=lambda norm: True), "the optimizer stepped"),
        (variant(sound=lambda norm: ~norm.isnan()), "one gradient holds inf"),
        (variant(sound=lambda norm: ~norm.isinf()), "one gradient holds NaN"),
        (variant(factor=1e9), "the step is not the clipped one"),
        (variant(times=2), "stepped 2 times"),
        (variant(after=2), "After a sound step it returned 2"),
        (variant(by=0), "it returned 1; 2 is right"),
        (variant(stops=9), "went on after the 5th"),
        (variant(stops=4), "at the 4th update"),
    ],
}  # fmt: skip

test_right, test_wrong = planted_tests(RIGHT, WRONG)
