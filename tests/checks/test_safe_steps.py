"""Answers to notebook 06's last exercises: right ones written differently, wrong ones named."""

import numpy as np
import torch
from planted import planted_tests
from torch import nn

from helpers import measure, training
from helpers.checks.results import WRONG_SHAPE

clip = nn.utils.clip_grad_norm_


def finite(norms):
    return norms[np.isfinite(norms)]


def raising(model, optimizer, c, skipped, limit):
    try:
        clip(model.parameters(), c, error_if_nonfinite=True)
    except RuntimeError:
        if skipped + 1 == limit:
            raise
        return skipped + 1
    optimizer.step()
    return 0


def by_hand(model, optimizer, c, skipped, limit):
    norm = torch.cat([p.grad.flatten() for p in model.parameters()]).norm()
    if not torch.isfinite(norm):
        if skipped + 1 >= limit:
            raise RuntimeError("over")
        return skipped + 1
    for p in model.parameters():
        p.grad *= min(1.0, c / (float(norm) + 1e-6))
    optimizer.step()
    return 0


def looking_first(model, optimizer, c, skipped, limit):
    sound = all(p.grad.isfinite().all() for p in model.parameters())
    if sound and clip(model.parameters(), c) < float("inf"):
        optimizer.step()
        return 0
    skipped += 1
    if skipped >= limit:
        raise RuntimeError
    return skipped


def variant(*, sound=torch.isfinite, factor=1, times=1, after=0, by=1, stops=5):
    """A safe step with one thing changed."""

    def step(model, optimizer, c, skipped, limit):
        if sound(clip(model.parameters(), factor * c)):
            for _ in range(times):
                optimizer.step()
            return after
        if skipped + 1 >= stops:
            raise RuntimeError("over")
        return skipped + by

    return step


RIGHT = {
    "choose_threshold": [
        measure.choose_threshold,
        lambda norms: np.median(finite(norms)),
        lambda norms: float(np.nanquantile(np.where(np.isinf(norms), np.nan, norms), 0.9)),
        lambda norms: 5 * sorted(n for n in norms.tolist() if abs(n) < float("inf"))[80],
    ],
    "safe_step": [training.safe_step, raising, by_hand, looking_first],
}
WRONG = {
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
        (variant(stops=9), "should raise a RuntimeError"),
        (variant(stops=4), "at the 4th update"),
    ],
}

test_right, test_wrong = planted_tests(RIGHT, WRONG)
