"""Exercises of notebook 06: clip by norm, and clip in the right place of the loop."""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from helpers.checks.attempt import Case, attempt, check_errors
from helpers.checks.compare import Mistake, close, judge_shapes, named, observed, to_array
from helpers.checks.registry import exercise
from helpers.checks.results import WRONG_SHAPE, WRONG_VALUES, Verdict
from helpers.validation import Array

SHAPES = ((4, 3), (4,), (2, 4))
CLIP_CASES = (  # shapes, norm, c
    (SHAPES, 10.0, 1.0),
    (SHAPES, 0.4, 1.0),
    (((5,),), 5.0, 3.0),
    (((2, 3, 2), (), (3,), (4, 1)), 8.0, 2.0),
    (((), (6, 2)), 2.0, 5.0),
    (SHAPES, 0.0, 1.0),
    (SHAPES, 3.0, 5.0),
    (SHAPES, 0.8, 0.7),
    (SHAPES, 1.02, 1.0),
    (SHAPES, 0.98, 1.0),
)
MOST_TENSORS = 20  # that are looked at in what comes back
# Norm of the gradient, and c.
SCENES = ((10.0, 1.0), (0.3, 1.0), (4.0, 2.5), (2.0, 5.0), (3.0, 5.0), (0.8, 0.7))
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


def _by(
    compared: Callable[[list[Array]], float],
    divided_by: Callable[[list[Array]], float] | None = None,
) -> Callable[..., Any]:
    """Return the rule with another size in the place of the norm, to compare or divide by."""

    def formula(gradients: Sequence[Tensor], c: float) -> tuple[Array, ...]:
        arrays = _arrays(gradients)
        found = (divided_by or compared)(arrays)
        return _scaled(gradients, c / found if compared(arrays) > c else 1.0)

    return formula


def _square(arrays: list[Array]) -> float:
    return _length(arrays) ** 2


def _always(gradients: Sequence[Tensor], c: float) -> tuple[Array, ...]:
    return _scaled(gradients, c / max(_length(_arrays(gradients)), 1e-12))


EACH_TENSOR = (
    "Did you clip each tensor by a norm of its own? The norm is that of all of them together."
)
CLIP_MISTAKES = (
    Mistake("Did you limit each component on its own? That is clipping by value.",
            lambda gradients, c: tuple(each.clip(-c, c) for each in _arrays(gradients))),
    Mistake(EACH_TENSOR, _each_clipped),
    Mistake("A gradient shorter than c became longer: a short one is to stay as it is.", _always),
    Mistake("Is the square root missing from the norm?", _by(_square)),
    Mistake("Is the square root missing where you divide by the norm?", _by(_length, _square)),
    Mistake(
        "Is the square root missing where you compare with c? Some short gradients became longer.",
        _by(_square, _length),
    ),
    Mistake("You added the tensors' norms up: the squares add up, the norms do not.",
            _by(lambda g: sum(_length([each]) for each in g))),
    Mistake("You used the largest entry in the place of the norm.",
            _by(lambda g: max(float(np.abs(each).max()) for each in g))),
    Mistake("You used the sum of the entries' sizes in the place of the norm.",
            _by(lambda g: sum(float(np.abs(each).sum()) for each in g))),
    Mistake("Nothing was clipped: long gradients came back as they were.",
            lambda gradients, c: _scaled(gradients, 1.0)),
    Mistake("You clipped to 1; c is another number in other calls.",
            lambda gradients, c: _clipped(gradients, 1.0)),
    Mistake("The factor is upside down: long gradients became longer.",
            lambda gradients, c: _scaled(gradients, max(1.0, _length(_arrays(gradients)) / c))),
)  # fmt: skip


@exercise("06", 1, "Clip by norm", points=3, minutes=5, difficulty=2)
def clip_by_norm(answer: Any) -> str:
    """Check a function of (gradients, c) that returns the clipped tensors as a list."""
    cases: list[Case] = [
        {"gradients": [torch.from_numpy(g) for g in _gradients(seed, shapes, size)], "c": c}
        for seed, (shapes, size, c) in enumerate(CLIP_CASES)
    ]
    want = [_clipped(**case) for case in cases]
    outcomes = attempt(answer, cases, _tensors, kinds=("torch", "numpy"))
    given = [i for i, outcome in enumerate(outcomes) if outcome.error is None]
    used, want = [cases[i] for i in given], [want[i] for i in given]
    got = [outcomes[i].value for i in given]
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


class RecordingModel(nn.Linear):
    """A model that writes down when clip_grad_norm_ or zero_grad looked at its gradients."""

    def __init__(self, events: list[str]) -> None:
        super().__init__(3, 2)
        self.events = events

    def named_parameters(self, *arguments: Any, **settings: Any) -> Any:
        if any(frame.name == "clip_grad_norm_" for frame in traceback.extract_stack()):
            self.events.append("clip")
        return super().named_parameters(*arguments, **settings)

    def zero_grad(self, set_to_none: bool = True) -> None:
        self.events.append("zero_grad")
        self.weight.grad = self.bias.grad = None


class RecordingOptimizer(torch.optim.Optimizer):
    """Gradient descent that writes down its calls, and the gradient it was to step with."""

    def __init__(self, model: RecordingModel) -> None:
        self.model = model
        self.stepped_with = torch.zeros(0)
        super().__init__([model.weight, model.bias], {"lr": 0.1})

    def zero_grad(self, set_to_none: bool = True) -> None:
        self.model.zero_grad(set_to_none)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = None if closure is None else closure()
        self.model.events.append("step")
        self.stepped_with = _gradient_of(self.model)
        with torch.no_grad():
            for weight in (self.model.weight, self.model.bias):
                if weight.grad is not None:
                    weight -= self.param_groups[0]["lr"] * weight.grad
        return loss


class Scene:
    """One call of a training step: a model with an earlier batch's gradient, and a new loss."""

    def __init__(self, seed: int, size: float) -> None:
        generator = torch.Generator().manual_seed(410 + seed)

        def draw(*shape: int) -> Tensor:
            return torch.randn(*shape, generator=generator, dtype=torch.float64)

        self.events: list[str] = []
        self.model = RecordingModel(self.events).double()
        own = [self.model.weight, self.model.bias]
        with torch.no_grad():
            for weight in own:
                weight.copy_(draw(*weight.shape))
        loss = (self.model(draw(5, 3)) - draw(5, 2)).square().sum()
        factor = size / float(_flat(torch.autograd.grad(loss, own, retain_graph=True)).norm())
        self.loss = loss * factor
        self.fresh = _flat(torch.autograd.grad(self.loss, own, retain_graph=True))
        for weight in own:
            weight.grad = 2 * draw(*weight.shape)
        self.stale = _gradient_of(self.model)
        self.loss.register_hook(lambda _: self.events.append("backward"))
        self.optimizer = RecordingOptimizer(self.model)
        self.events.clear()


def _flat(tensors: Sequence[Tensor]) -> Tensor:
    return torch.cat([each.detach().flatten() for each in tensors])


def _gradient_of(model: nn.Linear) -> Tensor:
    """Return all gradients as one vector, 0 where there is none."""
    weights = (model.weight, model.bias)
    return _flat([torch.zeros_like(w) if w.grad is None else w.grad for w in weights])


def _shortened(gradient: Tensor, c: float) -> Tensor:
    norm = float(gradient.norm())
    return gradient * (c / norm if norm > c else 1.0)


def _agree(one: Tensor, other: Tensor) -> bool:
    return close(one.numpy(), other.numpy())


@exercise("06", 2, "Repair the loop", points=3, minutes=4, difficulty=2)
def train_step(answer: Any) -> str:
    """Check a function of (model, loss, optimizer, c) that takes one step of training."""
    for seed, (size, c) in enumerate(SCENES):
        scene = Scene(seed, size)
        given = {"model": scene.model, "loss": scene.loss, "optimizer": scene.optimizer, "c": c}
        attempt(answer, [given], lambda value: value, may_return_none=True, copies=False)
        lines = _wrong_calls(scene.events) or _wrong_gradient(scene, c)
        if lines:
            raise Verdict(WRONG_VALUES, *lines, head="the step it takes is not the clipped one")
    return "The optimizer stepped with this batch's gradient, clipped; a short one stayed as it is."


def _wrong_calls(events: list[str]) -> list[str]:
    """Return which call is missing, came twice or too early; [] if none."""
    if "step" not in events:
        return ["optimizer.step() was never called: nothing was learned."]
    if events.count("step") > 1:
        return [f"optimizer.step() was called {events.count('step')} times; once is enough."]
    if "backward" not in events:
        return ["loss.backward() was never called: there is no gradient of this batch."]
    if events.index("step") < events.index("backward"):
        return ["The optimizer stepped before loss.backward(): it knew nothing of this batch."]
    return []


def _wrong_gradient(scene: Scene, c: float) -> list[str]:
    """Return what is wrong with the gradient of the step; [] if it is the clipped one."""
    used, fresh, events = scene.optimizer.stepped_with, scene.fresh, scene.events
    start, step = events.index("backward"), events.index("step")
    if _agree(used, _shortened(fresh, c)):
        return []
    if not used.any():
        wiped = "zero_grad" in events[start:step]
        why = "zero_grad came after backward, and wiped out what backward had computed."
        open_question = "backward did compute one: what happens to it before the step?"
        return ["The optimizer stepped with a gradient of 0.", why if wiped else open_question]
    if _agree(used, fresh):
        return [_why_unclipped(scene, c)]
    if _holds_stale(used, scene, c):
        late = "zero_grad" in events and "zero_grad" not in events[:start]
        why = "zero_grad came too late for it." if late else "is zero_grad missing?"
        joint = ", and" if late else ":"
        return [
            "The gradient of an earlier batch was still in it.",
            f"backward adds to what is there{joint} {why}",
        ]
    if _agree(used, fresh.clamp(-c, c)):
        return ["Did you limit each component on its own? That is clipping by value."]
    sizes = [scene.model.weight.numel(), scene.model.bias.numel()]
    if _agree(used, torch.cat([_shortened(part, c) for part in fresh.split(sizes)])):
        return [EACH_TENSOR]
    norms = f"norm {float(used.norm()):.3g}, where c is {c:g} and the norm before clipping was "
    lines = [f"The gradient it stepped with has {norms}{float(fresh.norm()):.3g}."]
    if _agree(used / used.norm(), fresh / fresh.norm()):
        longer = "A short gradient became longer: it is to stay as it is."
        other = "Its direction is right: is it c that it was clipped to?"
        lines.append(longer if used.norm() > fresh.norm() else other)
    return lines


def _why_unclipped(scene: Scene, c: float) -> str:
    """Return why the optimizer stepped with the whole gradient, as far as it was seen."""
    start, step = scene.events.index("backward"), scene.events.index("step")
    now = _gradient_of(scene.model)
    if "clip" in scene.events[step:] or _agree(now, _shortened(scene.fresh, c)):
        return "You clipped after the step: by then the long step has been taken."
    if "clip" in scene.events[:start]:
        return "You clipped before backward: there was no gradient of this batch to clip yet."
    if "clip" in scene.events[start:step]:
        return f"It was clipped to more than its own norm: c is {c:g} here."
    return "The gradient was not clipped at all."


def _holds_stale(used: Tensor, scene: Scene, c: float) -> bool:
    total = scene.stale + scene.fresh
    kept = _shortened(scene.stale, c) + scene.fresh
    return any(
        _agree(used, each) for each in (total, _shortened(total, c), total.clamp(-c, c), kept)
    )
