"""Exercises of notebook 06: clip by norm, repair the loop, choose a threshold, a safe step."""

from __future__ import annotations

import functools
import math
import traceback
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from helpers import training
from helpers.checks.attempt import Case, attempt, check_errors
from helpers.checks.compare import close, number, to_array, wrong_values
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
SCENES = ((10.0, 1.0), (0.3, 1.0), (4.0, 2.5), (2.0, 5.0), (3.0, 5.0), (0.8, 0.7))  # norm, c
SEEN_TURN = 1.0  # degrees
BY_VALUE = "Did you limit each component on its own? That is clipping by value."
EACH_TENSOR = (
    "Did you clip each tensor by a norm of its own? The norm is that of all of them together."
)
LOW, HIGH = 0.5, 10.0  # times the usual norm
BROKEN = (
    ("one gradient holds inf", 5.0, torch.inf),
    ("one gradient holds NaN", 5.0, torch.nan),
    ("the norm overflows though every entry is finite", 1.0, 2e19),
)
_wrong = functools.partial(Verdict, WRONG_VALUES, head="not safe yet")


def _gradients(seed: int, shapes: Sequence[tuple[int, ...]], norm: float) -> list[Tensor]:
    """Gradients of these shapes with this common norm, the tensors of unlike length."""
    rng = np.random.default_rng(400 + seed)
    drawn = [rng.normal(0, *pair) for pair in zip((1, 3, 0.3, 2), shapes, strict=False)]
    factor = norm / np.linalg.norm(_joined(drawn))
    return [torch.from_numpy(np.asarray(factor * each)) for each in drawn]


def _joined(parts: Sequence[Any]) -> Array:
    return np.concatenate([np.ravel(part) for part in parts])


def _clipped(gradient: Any, c: float) -> Any:
    """A gradient, as one vector, clipped to norm c; NumPy or torch."""
    norm = float((gradient**2).sum()) ** 0.5
    return gradient * (c / norm if norm > c else 1.0)


def _clip_mistakes(gradients, c):
    g = _joined(gradients)
    lengths = [float(np.linalg.norm(each)) for each in gradients]
    norm = math.hypot(*lengths)

    def by(compared: float, divided: float) -> Array:
        """The rule with other sizes in the place of the norm."""
        return g * (c / divided if compared > c else 1.0)

    return [
        (BY_VALUE, g.clip(-c, c)),
        (EACH_TENSOR, _joined([_clipped(each, c) for each in gradients])),
        ("A gradient shorter than c became longer: a short one is to stay as it is.",
         g * c / max(norm, 1e-12)),
        ("Is the square root missing from the norm?", by(norm**2, norm**2)),
        ("Is the square root missing where you divide by the norm?", by(norm, norm**2)),
        ("Is the square root missing where you compare with c? Some short gradients became longer.",
         by(norm**2, norm)),
        ("You added the tensors' norms up: the squares add up, the norms do not.",
         by(sum(lengths), sum(lengths))),
        ("You used the largest entry in the place of the norm.",
         by(np.abs(g).max(), np.abs(g).max())),
        ("You used the sum of the entries' sizes in the place of the norm.",
         by(np.abs(g).sum(), np.abs(g).sum())),
        ("Nothing was clipped: long gradients came back as they were.", g),
        ("You clipped to 1; c is another number in other calls.", _clipped(g, 1.0)),
        ("The factor is upside down: long gradients became longer.", g * max(1.0, norm / c)),
    ]  # fmt: skip


@exercise("06", 1, "Clip by norm", points=3, minutes=5, difficulty=2)
def clip_by_norm(answer: Any) -> str:
    """Check a function of (gradients, c) that returns the clipped tensors as a list."""
    cases: list[Case] = [
        {"gradients": _gradients(seed, shapes, norm), "c": c}
        for seed, (shapes, norm, c) in enumerate(CLIP_CASES)
    ]
    outcomes = attempt(answer, cases, _tensors, kinds=("torch", "numpy"))
    given = [i for i, outcome in enumerate(outcomes) if outcome.error is None]
    for i in given:
        came = [each.shape for each in outcomes[i].value]
        wanted = [tuple(each.shape) for each in cases[i]["gradients"]]
        if came != wanted:
            raise Verdict(
                WRONG_SHAPE,
                f"It was called with a list of {len(wanted)} and returned {len(came)}: one for "
                "each, please, of the same shape.",
                f"The shapes were {wanted}, and those that came back {came}.",
            )
    used = [cases[i] for i in given]
    got = [_joined(outcomes[i].value) for i in given]
    want = [_clipped(_joined(case["gradients"]), case["c"]) for case in used]
    lines = wrong_values(used, got, want, _clip_mistakes)
    angle = max(map(_angle, got, want))
    if lines and angle > SEEN_TURN:
        lines.insert(
            0,
            f"Your result points {angle:.0f} degrees away from the gradient: clipping by norm "
            "never turns it.",
        )
    if lines:
        raise Verdict(WRONG_VALUES, *lines)
    check_errors(answer, cases, outcomes)
    return "Right on gradients longer than c, shorter than c, and zero."


def _tensors(value: Any) -> list[Array]:
    if isinstance(value, (float, int, np.floating)) or getattr(value, "shape", None) == ():
        raise Verdict(
            WRONG_SHAPE,
            "It returned one number. PyTorch's clip_grad_norm_ returns the norm; did you?",
            "Return the list of the clipped gradients.",
        )
    if not isinstance(value, (list, tuple)):
        raise Verdict(WRONG_SHAPE, f"It returned one {type(value).__name__}; return a list.")
    return [to_array(each, f"gradient {i}") for i, each in enumerate(value)]


def _angle(one: Array, other: Array) -> float:
    """Degrees between two vectors; 0 where one of them has no direction."""
    lengths = np.linalg.norm(one) * np.linalg.norm(other)
    if not lengths or not np.isfinite(lengths):
        return 0.0
    return math.degrees(math.acos(float(np.clip(one @ other / lengths, -1, 1))))


class _Model(nn.Linear):
    """A model that writes down when clip_grad_norm_ looked at its gradients."""

    def __init__(self) -> None:
        self.events: list[str] = []
        super().__init__(3, 2, dtype=torch.float64)

    def named_parameters(self, *arguments: Any, **settings: Any) -> Any:
        if any(frame.name == "clip_grad_norm_" for frame in traceback.extract_stack()):
            self.events.append("clip")
        return super().named_parameters(*arguments, **settings)

    def gradient(self) -> Tensor:
        """All gradients as one vector, 0 where there is none."""
        weights = (self.weight, self.bias)
        return _flat([torch.zeros_like(w) if w.grad is None else w.grad for w in weights])


class _Scene:
    """One call of a training step: a model with an earlier batch's gradient, and a new loss."""

    def __init__(self, seed: int, norm: float) -> None:
        generator = torch.Generator().manual_seed(410 + seed)

        def draw(*shape: int) -> Tensor:
            return torch.randn(*shape, generator=generator, dtype=torch.float64)

        self.model = _Model()
        own = [self.model.weight, self.model.bias]
        for weight in own:
            weight.data = draw(*weight.shape)
        loss = (self.model(draw(5, 3)) - draw(5, 2)).square().sum()
        whole = _flat(torch.autograd.grad(loss, own, retain_graph=True))
        self.loss = loss * float(norm / whole.norm())
        self.fresh = whole * float(norm / whole.norm())
        for weight in own:
            weight.grad = 2 * draw(*weight.shape)
        self.stale = self.used = self.model.gradient()
        self.loss.register_hook(lambda _: self.model.events.append("backward"))
        self.optimizer = torch.optim.SGD(own, lr=0.1)
        self.optimizer.register_step_post_hook(lambda *_: self._stepped())

    def _stepped(self) -> None:
        self.model.events.append("step")
        self.used = self.model.gradient()


def _flat(tensors: Sequence[Tensor]) -> Tensor:
    return torch.cat([each.detach().flatten() for each in tensors])


def _agree(one: Tensor, *others: Tensor) -> bool:
    return any(close(one.numpy(), other.numpy()) for other in others)


@exercise("06", 2, "Repair the loop", points=3, minutes=4, difficulty=2)
def train_step(answer: Any) -> str:
    """Check a function of (model, loss, optimizer, c) that takes one step of training."""
    for seed, (norm, c) in enumerate(SCENES):
        scene = _Scene(seed, norm)
        given = {"model": scene.model, "loss": scene.loss, "optimizer": scene.optimizer, "c": c}
        attempt(answer, [given], lambda value: value, may_return_none=True, kinds=("own",))
        wrong = _wrong_call(scene.model.events)
        lines = [wrong] if wrong else _wrong_gradient(scene, c)
        if lines:
            raise Verdict(WRONG_VALUES, *lines, head="the step it takes is not the clipped one")
    return "The optimizer stepped with this batch's gradient, clipped; a short one stayed as it is."


def _wrong_call(events: list[str]) -> str:
    """Which call is missing, came twice or too early; "" if none."""
    if "step" not in events:
        return "optimizer.step() was never called: nothing was learned."
    if events.count("step") > 1:
        return f"optimizer.step() was called {events.count('step')} times; once is enough."
    if "backward" not in events:
        return "loss.backward() was never called: there is no gradient of this batch."
    if events.index("step") < events.index("backward"):
        return "The optimizer stepped before loss.backward(): it knew nothing of this batch."
    return ""


def _wrong_gradient(scene: _Scene, c: float) -> list[str]:
    """What is wrong with the gradient of the step; [] if it is the clipped one."""
    used, fresh, stale, now = scene.used, scene.fresh, scene.stale, scene.model.gradient()
    events, total = scene.model.events, stale + fresh
    if _agree(used, _clipped(fresh, c)):
        return []
    if not used.any():
        return [
            "The optimizer stepped with a gradient of 0.",
            "What backward had computed was wiped out: does zero_grad come after it?",
        ]
    if _agree(used, fresh):
        if "clip" in events[events.index("step") :] or _agree(now, _clipped(fresh, c)):
            return ["You clipped after the step: by then the long step has been taken."]
        if "clip" in events[: events.index("backward")]:
            return ["You clipped before backward: there was no gradient of this batch to clip yet."]
        if "clip" in events:
            return [f"It was clipped to more than its own norm: c is {c:g} here."]
        return ["The gradient was not clipped at all."]
    if _agree(used, total, _clipped(total, c), total.clamp(-c, c), _clipped(stale, c) + fresh):
        late = ", and zero_grad came too late for it."
        why = ": is zero_grad missing?" if now.any() else late
        return [
            "The gradient of an earlier batch was still in it.",
            f"backward adds to what is there{why}",
        ]
    if _agree(used, fresh.clamp(-c, c)):
        return [BY_VALUE]
    if _agree(used, torch.cat([_clipped(part, c) for part in fresh.split([6, 2])])):
        return [EACH_TENSOR]
    seen = (
        f"The gradient it stepped with has norm {float(used.norm()):.3g}, where c is {c:g} and "
        f"the norm before clipping was {float(fresh.norm()):.3g}."
    )
    if not _agree(used / used.norm(), fresh / fresh.norm()):
        return [seen]
    if used.norm() > fresh.norm():
        return [seen, "A short gradient became longer: it is to stay as it is."]
    return [seen, "Its direction is right: is it c that it was clipped to?"]


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
    if np.isclose(c, finite.mean(), rtol=1e-3):
        return "That is the mean, which the leaps have moved."
    if np.isclose(c, finite.max(), rtol=1e-3):
        return "That is the largest norm: nothing would be cut."
    if c > usual:
        return "So large a threshold lets the leaps through. Have they moved it?"
    return "So small a threshold cuts every step: does it follow the log's own units?"


def _update(
    answer: Any, norm: float, bad: float | None = None, *, skipped: int
) -> tuple[int, Tensor, Any]:
    """Steps taken, parameters afterwards, and what came back; a model with c = 1, limit = 5.

    norm: of its gradients, one entry of which is bad, if any is.
    """
    torch.manual_seed(64)  # the same model each time; the check puts the notebook's draw back
    model, steps = nn.Linear(3, 2), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    optimizer.register_step_post_hook(lambda *_: steps.append("step"))
    drawn = torch.randn(8)
    nn.utils.vector_to_parameters(drawn, model.parameters())
    for parameter in model.parameters():
        optimizer.state[parameter]["momentum_buffer"] = torch.ones_like(parameter)
        parameter.grad = parameter.detach() * (norm / float(drawn.norm()))
    if bad is not None and model.weight.grad is not None:
        model.weight.grad[1, 2] = bad
    case = {"model": model, "optimizer": optimizer, "c": 1.0, "skipped": skipped, "limit": 5}
    (made,) = attempt(answer, [case], lambda v: v, may_return_none=True, kinds=("own",))
    return len(steps), nn.utils.parameters_to_vector(model.parameters()).detach(), made.value


@exercise("06", 4, "A safe step", points=3, minutes=7, difficulty=3)
def safe_step(answer: Any) -> str:
    """Check a function of (model, optimizer, c, skipped, limit) that steps or leaves out."""
    for norm in (8.0, 0.3):
        steps, moved, returned = _update(answer, norm, skipped=2)
        _, wanted, _ = _update(training.safe_step, norm, skipped=2)
        if steps != 1:
            raise _wrong(f"With a gradient of norm {norm:g} the optimizer stepped {steps} times.")
        if not torch.allclose(moved, wanted, rtol=1e-4):
            raise _wrong(
                f"With a gradient of norm {norm:g} and c = 1 the step is not the clipped one.",
                "Is clip_grad_norm_ called, with c, before the step?",
            )
        if returned != 0:
            seen = f"After a sound step it returned {returned!r}"
            raise _wrong(f"{seen}: none in a row is left out, 0.")
    for what, norm, bad in BROKEN:
        steps, _, returned = _update(answer, norm, bad, skipped=1)
        if steps:
            raise _wrong(
                f"When {what}, the optimizer stepped and the parameters moved.",
                "A gradient of 0 moves them too, where there is momentum: do not step at all.",
            )
        if returned != 2:
            raise _wrong(f"When {what} after 1 left out, it returned {returned!r}; 2 is right.")
    if _stopped(answer, skipped=3):
        raise _wrong("With limit 5 it stopped at the 4th update left out in a row.")
    if not _stopped(answer, skipped=4):
        raise _wrong(
            "With limit 5 it went on after the 5th update left out in a row.",
            "There it should raise a RuntimeError: a run that only skips is over.",
        )
    return "Sound gradients are clipped and used; broken ones are left out and counted."


def _stopped(answer: Any, *, skipped: int) -> bool:
    try:
        _update(answer, 5.0, torch.nan, skipped=skipped)
    except Verdict as verdict:
        if "RuntimeError" in " ".join(verdict.lines):
            return True
        raise
    return False
