"""One call of a training step on a stage: what was done, in which order, to which gradient.

The model and the optimizer are real enough to learn, and write down what happens to them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from helpers.checks.arrays import close


class RecordingModel(nn.Linear):
    """A model that writes down when it was asked for its parameters."""

    def __init__(self, events: list[str]) -> None:
        super().__init__(3, 2)
        self.events = events

    def named_parameters(self, *arguments: Any, **settings: Any) -> Any:
        self.events.append("parameters")
        return super().named_parameters(*arguments, **settings)

    def zero_grad(self, set_to_none: bool = True) -> None:
        self.events.append("zero_grad")
        self.weight.grad = self.bias.grad = None


class RecordingOptimizer(torch.optim.Optimizer):
    """Gradient descent that writes down its calls, and the gradient it was to step with."""

    def __init__(self, model: RecordingModel) -> None:
        self.model = model
        self.stepped_with: Tensor | None = None
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
        with torch.no_grad():
            self.model.weight.copy_(draw(2, 3))
            self.model.bias.copy_(draw(2))
        error = self.model(draw(5, 3)) - draw(5, 2)
        loss = error.square().sum()
        own = [self.model.weight, self.model.bias]
        factor = size / float(_flat(torch.autograd.grad(loss, own, retain_graph=True)).norm())
        self.loss = loss * factor
        self.fresh = _flat(torch.autograd.grad(self.loss, own, retain_graph=True))
        for weight in own:
            weight.grad = 2 * draw(*weight.shape)
        self.stale = _gradient_of(self.model)
        self.loss.register_hook(lambda _: self.events.append("backward"))
        self.optimizer = RecordingOptimizer(self.model)
        self.events.clear()


def _flat(tensors: Sequence[Tensor | None]) -> Tensor:
    return torch.cat([each.detach().flatten() for each in tensors if each is not None])


def _gradient_of(model: nn.Linear) -> Tensor:
    """All gradients as one vector, 0 where there is none."""
    weights = (model.weight, model.bias)
    return _flat([torch.zeros_like(w) if w.grad is None else w.grad for w in weights])


def _shortened(gradient: Tensor, c: float) -> Tensor:
    norm = float(gradient.norm())
    return gradient * (c / norm if norm > c else 1.0)


def _each_shortened(scene: Scene, c: float) -> Tensor:
    sizes = [weight.numel() for weight in (scene.model.weight, scene.model.bias)]
    return torch.cat([_shortened(part, c) for part in scene.fresh.split(sizes)])


def fault(scene: Scene, c: float) -> tuple[str, ...]:
    """What is wrong with a training step; () if it is right."""
    events = scene.events
    if "step" not in events:
        return ("optimizer.step() was never called: nothing was learned.",)
    if events.count("step") > 1:
        return (f"optimizer.step() was called {events.count('step')} times; once is enough.",)
    if "backward" not in events:
        return ("loss.backward() was never called: there is no gradient of this batch.",)
    used = scene.optimizer.stepped_with
    if _agree(used, _shortened(scene.fresh, c)):
        return ()
    before_step = events[: events.index("step")]
    if "backward" not in before_step:
        return ("The optimizer stepped before loss.backward(): it knew nothing of this batch.",)
    if not used.any():
        return (
            "The optimizer stepped with a gradient of 0.",
            "Is zero_grad after backward? It wipes out what backward has just computed.",
        )
    if not _agree(used, scene.fresh) and _holds_stale(used, scene, c):
        return (
            "The gradient of an earlier batch was still in it.",
            "backward adds to what is there: is zero_grad missing, or does it come too late?",
        )
    if _agree(used, scene.fresh):
        return (_unclipped(events),)
    if _agree(used, scene.fresh.clamp(-c, c)):
        return ("Did you limit each component on its own? That is clipping by value.",)
    if _agree(used, _each_shortened(scene, c)):
        return (
            "Did you clip each tensor by a norm of its own? The norm is that of all of them "
            "together.",
        )
    norms = f"norm {float(used.norm()):.3g}, where c is {c:g} and the norm before clipping was "
    seen = f"The gradient it stepped with has {norms}{float(scene.fresh.norm()):.3g}."
    if _agree(used / used.norm(), scene.fresh / scene.fresh.norm()):
        return (seen, "Its direction is right: is it c that it was clipped to?")
    return (seen,)


def _unclipped(events: Sequence[str]) -> str:
    """Why the optimizer stepped with the whole gradient."""
    start, step = events.index("backward"), events.index("step")
    if "parameters" in events[step:]:
        return "You clipped after the step: by then the long step has been taken."
    if "parameters" in events[:start]:
        return "You clipped before backward: there was no gradient of this batch to clip yet."
    return "The gradient was not clipped at all."


def _holds_stale(used: Tensor, scene: Scene, c: float) -> bool:
    total = scene.stale + scene.fresh
    kept = _shortened(scene.stale, c) + scene.fresh
    return any(
        _agree(used, each) for each in (total, _shortened(total, c), total.clamp(-c, c), kept)
    )


def _agree(one: Tensor, other: Tensor) -> bool:
    return close(one.numpy(), other.numpy())
