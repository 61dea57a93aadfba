"""Exercises of notebook 06: clip by norm, and clip in the right place of the loop."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor

from helpers.checks.arrays import close, to_array
from helpers.checks.compare import Mistake, check_errors, judge_shapes, named, observed
from helpers.checks.harness import Case, attempt
from helpers.checks.registry import exercise
from helpers.checks.results import WRONG_SHAPE, WRONG_VALUES, Verdict
from helpers.checks.training_scene import Scene, fault
from helpers.validation import Array

SHAPES = ((4, 3), (4,), (2, 4))
CLIP_CASES = (  # shapes, norm, c
    (SHAPES, 10.0, 1.0),
    (SHAPES, 0.4, 1.0),
    (((5,),), 5.0, 3.0),
    (((2, 3, 2), (), (3,), (4, 1)), 8.0, 2.0),
    (((), (6, 2)), 2.0, 5.0),
    (SHAPES, 0.0, 1.0),
)
MOST_TENSORS = 20  # that are looked at in what comes back
SCENES = ((10.0, 1.0), (0.3, 1.0), (4.0, 2.5), (2.0, 5.0))  # norm of the gradient, c
SEEN_TURN = 1.0  # degrees


def _gradients(seed: int, shapes: Sequence[tuple[int, ...]], size: float) -> list[Array]:
    """Gradients of these shapes whose common norm is `size`, the tensors of unlike length."""
    rng = np.random.default_rng(400 + seed)
    scales = (1, 3, 0.3, 2)[: len(shapes)]
    drawn = [rng.normal(0, *pair) for pair in zip(scales, shapes, strict=True)]
    factor = size / _length(drawn)
    return [np.asarray(factor * each) for each in drawn]


def _length(tensors: Sequence[Array]) -> float:
    return math.sqrt(sum(float((each**2).sum()) for each in tensors))


def _arrays(gradients: Sequence[Tensor]) -> list[Array]:
    return [each.numpy() for each in gradients]


def _scaled(gradients: Sequence[Tensor], factor: float) -> tuple[Array, ...]:
    return tuple(factor * each for each in _arrays(gradients))


def _clipped(gradients: Sequence[Tensor], c: float) -> tuple[Array, ...]:
    norm = _length(_arrays(gradients))
    return _scaled(gradients, c / norm if norm > c else 1.0)


def _each_clipped(gradients: Sequence[Tensor], c: float) -> tuple[Array, ...]:
    return tuple(_clipped([each], c)[0] for each in gradients)


def _by(size: Callable[[list[Array]], float], always: bool = False) -> Callable[..., Any]:
    """The rule with another size in the place of the norm."""

    def formula(gradients: Sequence[Tensor], c: float) -> tuple[Array, ...]:
        found = size(_arrays(gradients))
        shrink = found > c or (always and found > 0)
        return _scaled(gradients, c / found if shrink else 1.0)

    return formula


def _root_forgotten(gradients: Sequence[Tensor], c: float) -> tuple[Array, ...]:
    norm = _length(_arrays(gradients))
    return _scaled(gradients, c / norm**2 if norm > c else 1.0)


CLIP_MISTAKES = (
    Mistake(
        "Did you limit each component on its own? That is clipping by value.",
        lambda gradients, c: tuple(each.clip(-c, c) for each in _arrays(gradients)),
    ),
    Mistake(
        "Did you clip each tensor by a norm of its own? The norm is that of all of them together.",
        _each_clipped,
    ),
    Mistake(
        "A gradient shorter than c became longer: a short one is to stay as it is.",
        _by(_length, always=True),
    ),
    Mistake("Is the square root missing from the norm?", _by(lambda g: _length(g) ** 2)),
    Mistake("Is the square root missing from the norm?", _root_forgotten),
    Mistake(
        "You added the tensors' norms up: the squares add up, the norms do not.",
        _by(lambda g: sum(_length([each]) for each in g)),
    ),
    Mistake(
        "You used the largest entry in the place of the norm.",
        _by(lambda g: max(float(np.abs(each).max()) for each in g)),
    ),
    Mistake(
        "You used the sum of the entries' sizes in the place of the norm.",
        _by(lambda g: sum(float(np.abs(each).sum()) for each in g)),
    ),
    Mistake(
        "Nothing was clipped: long gradients came back as they were.",
        lambda gradients, c: _scaled(gradients, 1.0),
    ),
    Mistake(
        "You clipped to 1; c is another number in other calls.",
        lambda gradients, c: _clipped(gradients, 1.0),
    ),
    Mistake(
        "The factor is upside down: long gradients became longer.",
        lambda gradients, c: _scaled(gradients, max(1.0, _length(_arrays(gradients)) / c)),
    ),
)


@exercise("06", 1, "Clip by norm", points=3, minutes=10, difficulty=2)
def clip_by_norm(answer: Any) -> str:
    """Check a function of (gradients, c) that returns the clipped tensors as a list."""
    cases: list[Case] = [
        {"gradients": [torch.from_numpy(g) for g in _gradients(seed, shapes, size)], "c": c}
        for seed, (shapes, size, c) in enumerate(CLIP_CASES)
    ]
    want = [_clipped(**case) for case in cases]
    outcomes = attempt(answer, cases, _tensors, kinds=("torch", "numpy"))
    given = [i for i, outcome in enumerate(outcomes) if outcome.error is None]
    used, got, want = ([side[i] for i in given] for side in
                       (cases, [outcome.value for outcome in outcomes], want))  # fmt: skip
    for case, mine, right in zip(used, got, want, strict=True):
        _judge_count(len(mine), len(right))
        names = [f"gradient {i}" for i in range(len(right))]
        judge_shapes([case], [mine], [right], names, (), "")
    if not all(close(g, w) for mine, right in zip(got, want, strict=True)
               for g, w in zip(mine, right, strict=True)):  # fmt: skip
        raise Verdict(WRONG_VALUES, *_clip_seen(used, got, want))
    check_errors(answer, cases, outcomes)
    return "Right on gradients longer than c, shorter than c, and zero."


def _tensors(value: Any) -> tuple[Array, ...]:
    """As many arrays as came back, up to MOST_TENSORS."""
    if isinstance(value, (float, int, np.floating)) or getattr(value, "shape", None) == ():
        raise Verdict(
            WRONG_SHAPE,
            "It returned one number. PyTorch's clip_grad_norm_ returns the norm; did you?",
            "Return the list of the clipped gradients.",
        )
    if isinstance(value, Iterator):
        value = tuple(islice(value, MOST_TENSORS))  # it may have no end
    if not isinstance(value, (list, tuple)):
        raise Verdict(WRONG_SHAPE, f"It returned one {type(value).__name__}; return a list.")
    return tuple(to_array(each, f"gradient {i}") for i, each in enumerate(value[:MOST_TENSORS]))


def _judge_count(returned: int, right: int) -> None:
    if returned != right:
        raise Verdict(
            WRONG_SHAPE,
            f"It was called with a list of {right} and returned {returned}: one for each, please.",
        )


def _clip_seen(
    cases: Sequence[Case], got: Sequence[tuple[Array, ...]], want: Sequence[tuple[Array, ...]]
) -> list[str]:
    """How far the result was turned, and what mistake that suggests."""
    mine, right = ([(_joined(each),) for each in side] for side in (got, want))
    joined = [m._replace(formula=_joining(m.formula)) for m in CLIP_MISTAKES]
    lines = []
    angle = max(map(_angle, (g for (g,) in mine), (w for (w,) in right)))
    if angle > SEEN_TURN:
        lines.append(
            f"Your result points {angle:.0f} degrees away from the gradient: clipping by norm "
            "never turns it."
        )
    found = named(cases, mine, 0, joined)
    return lines + (found or [observed(cases, [g for (g,) in mine], [w for (w,) in right])])


def _joining(formula: Callable[..., Any]) -> Callable[..., Array]:
    return lambda gradients, c: _joined(formula(gradients, c))


def _joined(parts: Sequence[Array]) -> Array:
    return np.concatenate([np.ravel(part) for part in parts])


def _angle(one: Array, other: Array) -> float:
    """Degrees between two vectors; 0 where one of them has no direction."""
    lengths = np.linalg.norm(one) * np.linalg.norm(other)
    if not lengths or not np.isfinite(lengths):
        return 0.0
    return math.degrees(math.acos(float(np.clip(one @ other / lengths, -1, 1))))


@exercise("06", 2, "Repair the loop", points=3, minutes=10, difficulty=2)
def train_step(answer: Any) -> str:
    """Check a function of (model, loss, optimizer, c) that takes one step of training."""
    for seed, (size, c) in enumerate(SCENES):
        scene = Scene(seed, size)
        given = {"model": scene.model, "loss": scene.loss, "optimizer": scene.optimizer, "c": c}
        attempt(answer, [given], lambda value: value, may_return_none=True, copies=False)
        lines = fault(scene, c)
        if lines:
            raise Verdict(WRONG_VALUES, *lines, head="the step it takes is not the clipped one")
    return "The optimizer stepped with this batch's gradient, clipped; a short one stayed as it is."
