"""The checks of a threshold and of a safe step, against planted mistakes and other right ways."""

import numpy as np
import pytest
import torch
from torch import nn

from helpers import checks, measure, training

clip = nn.utils.clip_grad_norm_


@pytest.mark.parametrize(
    "answer",
    [
        measure.choose_threshold,
        lambda norms: np.median(norms[np.isfinite(norms)]),
        lambda norms: float(np.nanquantile(np.where(np.isinf(norms), np.nan, norms), 0.9)),
        lambda norms: 5 * sorted(n for n in norms.tolist() if abs(n) < float("inf"))[80],
    ],
)
def test_right_thresholds(answer):
    assert checks.choose_threshold(answer).passed


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda norms: np.mean(norms[np.isfinite(norms)]), "the mean, which the leaps have moved"),
        (lambda norms: 1.0, "follow the log's own units"),
        (lambda norms: np.median(norms) / 100, "cuts every step"),
        (lambda norms: np.mean(norms), "On a log with three leaps"),
        (lambda norms: np.max(norms[np.isfinite(norms)]), "nothing would be cut"),
        (lambda norms: norms[np.isfinite(norms)].min() / 5, "cuts every step"),
        (lambda norms: np.median(norms), "leave inf and NaN out"),
        (lambda norms: norms, "one number is needed"),
        (lambda norms: -np.median(norms), "above 0"),
    ],
)
def test_wrong_thresholds(answer, says):
    result = checks.choose_threshold(answer)
    assert not result.passed
    assert says in result.message


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
    finite = all(p.grad.isfinite().all() for p in model.parameters())
    if finite and clip(model.parameters(), c) < float("inf"):
        optimizer.step()
        return 0
    skipped += 1
    if skipped >= limit:
        raise RuntimeError
    return skipped


@pytest.mark.parametrize("answer", [training.safe_step, raising, by_hand, looking_first])
def test_right_steps(answer):
    result = checks.safe_step(answer)
    assert result.passed, result


def variant(**change):
    """A safe step with one thing changed."""

    def step(model, optimizer, c, skipped, limit):
        threshold = change.get("c", c)
        if change.get("clip", True):
            norm = clip(model.parameters(), threshold)
        else:
            norm = torch.stack([p.grad.norm() for p in model.parameters()]).norm()
        if change.get("always") or change.get("sound", torch.isfinite)(norm):
            for _ in range(change.get("times", 1)):
                optimizer.step()
            return change.get("after", 0)
        if change.get("stops", True) and skipped + 1 + change.get("early", 0) >= limit:
            raise RuntimeError("over")
        return skipped + change.get("by", 1)

    return step


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (variant(always=True), "the optimizer stepped"),
        (variant(sound=lambda norm: ~norm.isnan()), "one gradient holds inf"),
        (variant(sound=lambda norm: ~norm.isinf()), "one gradient holds NaN"),
        (variant(clip=False), "the step is not the clipped one"),
        (variant(c=1e9), "the step is not the clipped one"),
        (variant(times=2), "stepped 2 times"),
        (variant(after=2), "After a sound step it returned 2"),
        (variant(by=0), "it returned 1; 2 is right"),
        (variant(stops=False), "should raise a RuntimeError"),
        (variant(early=1), "at the 4th update"),
    ],
)
def test_wrong_steps(answer, says):
    result = checks.safe_step(answer)
    assert not result.passed
    assert says in result.message
