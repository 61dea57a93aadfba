"""Exercises of notebook 05: the first inf, a logger of steps, four sick runs to diagnose by it."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from helpers import training
from helpers.checks.attempt import Case, attempt, check_errors
from helpers.checks.compare import number, unchanged
from helpers.checks.registry import exercise
from helpers.checks.results import FAILED, WRONG_VALUES, Verdict
from helpers.measure import signal
from helpers.networks import Classifier, gain_classifier
from helpers.task import AgreementTask, vocabulary
from helpers.validation import Array

KEYS = ("loss", "norm", "saturated", "reach")
STEPS = 20  # of a sick run
Row = Mapping[str, float]
inf, nan = np.inf, np.nan
COLUMNS = "You do not look at every column: any of a step's entries may be the inf."


def _first(marked: Array) -> int | None:
    """The first step, row of a table of truth values, with a mark; None without one."""
    return next((step for step, row in enumerate(marked) if np.any(row)), None)


def _inf_mistakes(states: Array) -> list[tuple[str, int | None]]:
    found, steps = np.isinf(states), np.flatnonzero(np.isinf(states).any(axis=1))
    first = _first(found)
    return [
        ("You count NaN as well: the question is for inf, which says where it began.",
         _first(~np.isfinite(states))),
        ("You look for NaN: inf is another value, and comes before it.", _first(np.isnan(states))),
        ("You look at +inf alone: what overflows downwards is -inf.", _first(states == inf)),
        ("This is the last step with an inf; the first tells where it began.",
         next(iter(steps[::-1]), None)),
        ("Off by one: steps are counted from 0.", None if first is None else first + 1),
        ("Off by one: a step too early.", None if first is None else first - 1),
        ("Without any inf it says 0, as argmax does: 0 is a step. Return None there.",
         0 if first is None else first),
        ("Without any inf it says -1; return None there.", -1 if first is None else first),
        ("This is a place in the flattened array; the row is the step.", _first(found.ravel())),
        ("You take a step only when all of its entries are inf; one is enough.",
         _first(found.all(axis=1))),
        ("Is an inf at step 0 lost? As a condition, 0 counts as False.", first or None),
        (COLUMNS, _first(found[:, 1:])),
        (COLUMNS, _first(found[:, :1])),
    ]  # fmt: skip


@exercise("05", 1, "Find the first inf", points=2, minutes=4, difficulty=2)
def first_inf(answer: Any) -> str:
    """Check a function of states (steps, hidden) that returns a step or None."""
    arrays = _states()
    cases: list[Case] = [{"states": states} for states in arrays]
    outcomes = attempt(answer, cases, _step, may_return_none=True)
    check_errors(answer, cases, outcomes)
    with unchanged(outcomes):
        _judge(arrays, [outcome.value for outcome in outcomes])
    return f"Right on {len(cases)} arrays, with and without inf and NaN."


def _judge(arrays: list[Array], given: list[int | None]) -> None:
    wrong = [i for i, states in enumerate(arrays) if given[i] != _first(np.isinf(states))]
    if not wrong:
        return
    for mistake in zip(*map(_inf_mistakes, arrays), strict=True):
        if [step for _, step in mistake] == given:
            raise Verdict(WRONG_VALUES, mistake[0][0], head="wrong values")
    states, step = arrays[wrong[0]], given[wrong[0]]
    marks = {"inf": states == inf, "-inf": states == -inf, "NaN": np.isnan(states)}
    held = " and ".join(word for word, there in marks.items() if there.any())
    content = f"with {held}" if held else "without inf and NaN"
    seen = f"On an array of shape {states.shape} {content}, it returned {step}, "
    row = states[step] if step in range(len(states)) else np.array([inf])
    if np.isinf(row).any():
        seen += "which is not right."
    elif np.isnan(row).any():
        seen += "a step with NaN and without inf."
    else:
        seen += f"and the largest number of that step, {np.abs(row).max():.1e}, is finite."
    raise Verdict(WRONG_VALUES, seen, head="wrong values")


def _step(value: Any) -> int:
    step = number(value)
    if not step.is_integer():
        raise Verdict(FAILED, f"It returned {step:g}; a step is a whole number.")
    return int(step)


def _states() -> list[Array]:
    """States (steps, hidden) with inf, NaN and huge finite numbers at telling places."""
    rng = np.random.default_rng(303)
    places: list[tuple[tuple[int, int], dict[Any, float]]] = [
        ((7, 4), {(3, 1): inf, (5, 0): inf}),
        ((7, 4), {}),
        ((7, 4), {(2, 2): -inf, (4, 0): inf}),
        ((7, 4), {(1, 0): nan, (4, 3): inf, (5, 3): nan}),
        ((7, 4), {(2, 1): nan}),
        ((7, 4), {(0, 3): inf, (1, 0): nan}),
        ((7, 4), {(6, 0): nan, (6, 2): -inf}),
        ((7, 4), {3: inf}),
        ((7, 4), {(1, 2): 1e300, (2, 0): -1e300, (5, 1): inf}),
        ((7, 4), {(4, 0): 1.7e308}),
        *(((5, 3), {(2, column): inf}) for column in range(3)),
        ((3, 5), {(2, 4): -inf}),
        ((1, 1), {(0, 0): inf}),
        ((20, 2), {(19, 0): inf}),
    ]
    arrays = []
    for shape, marks in places:
        arrays.append(rng.normal(0, 100, shape))
        for place, value in marks.items():
            arrays[-1][place] = value
    return arrays


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


def _gradient(model: nn.Module) -> Tensor:
    """All gradients as one vector, 0 where there is none."""
    found = (torch.zeros_like(p) if p.grad is None else p.grad for p in model.parameters())
    return torch.cat([each.flatten() for each in found])


@torch.no_grad()
def _log_mistakes(model: Classifier, tokens: Tensor, labels: Tensor) -> dict[str, Any]:
    """For each number of a row what a mistake suggests and would give, after a right backward."""
    states, signals = model.states(tokens), signal(model, tokens)
    beyond = (states.abs() > 0.99).double()
    norms = torch.stack([p.grad.norm() for p in model.parameters() if p.grad is not None])
    ratios = signals[:, 0] / signals[:, -1]
    return {
        "loss": [
            ("It is the sum over the sentences; the mean is asked for.",
             nn.functional.cross_entropy(model(tokens), labels, reduction="sum")),
        ],
        "norm": [
            ("Squares add up, norms do not: you added the norms.", norms.sum()),
            ("It is the largest tensor's norm: all of them count.", norms.max()),
            ("Is the square root missing?", norms.square().sum()),
            ("It is the mean of the tensors' norms.", norms.mean()),
        ],
        "saturated": [
            ("A unit may be stuck at -1 as well: look at the size of a state.",
             (states > 0.99).double().mean()),
            ("It is in percent; a share of 1 is asked for.", 100 * beyond.mean()),
            ("It is the mean size of the states: count those beyond 0.99.", states.abs().mean()),
            ("It is a number of entries; their share is asked for.", beyond.sum()),
            ("You looked at the last state alone: every word's counts.", beyond[:, -1].mean()),
            ("It is the share that is *not* saturated.", 1 - beyond.mean()),
        ],
        "reach": [
            ("It is upside down: first word over last.", (1 / ratios).mean()),
            ("It is the signal at the first word itself: divide by the last word's.",
             signals[:, 0].mean()),
            ("You divided the first sentence's signals by the last's: words run along the second "
             "axis.", (signals[0] / signals[-1]).mean()),
            ("It belongs to the first sentence alone: average over all.", ratios[0]),
        ],
    }  # fmt: skip


@exercise("05", 2, "The logger", points=3, minutes=8, difficulty=2)
def log_row(answer: Any) -> str:
    """Check a function of (model, tokens, labels) that returns the four numbers of a step."""
    for model, tokens, labels in _scenes():
        right_model = copy.deepcopy(model)
        right = training.log_row(right_model, tokens, labels)
        mistakes = _log_mistakes(right_model, tokens, labels)
        case = {"model": model, "tokens": tokens, "labels": labels}
        row = attempt(answer, [case], _row, kinds=("own",))[0].value
        mine, wanted = _gradient(model), _gradient(right_model)
        same = torch.allclose(mine, wanted, rtol=1e-4, atol=1e-7)
        for key in KEYS:
            if _equal(row[key], right[key]):
                continue
            said = [says for says, value in mistakes[key] if _equal(row[key], float(value))]
            if key == "norm" and not mine.any():
                said = ["There is no gradient yet: has backward been called?"]
            elif key == "norm" and not same:
                said = ["The parameters hold more than this batch's gradient: is zero_grad there?"]
            seen = f"{key!r} is {row[key]:.4g} where {right[key]:.4g} is right."
            raise Verdict(WRONG_VALUES, seen, *said[:1])
        if not same:
            left = "An earlier batch's gradient is still in .grad, or backward was called twice."
            if not mine.any():
                left = "They are gone: zero_grad belongs before backward."
            elif mine.norm() < 0.99 * wanted.norm():
                left = "They are shorter than this batch's: were they clipped?"
            raise Verdict(
                WRONG_VALUES,
                "The row is right, but the gradients it leaves are not those of this batch alone.",
                left,
            )
    return "Right on three networks, and the gradients left behind are this batch's alone."


def _equal(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=1e-4, abs_tol=1e-9)


def _row(value: Any) -> dict[str, float]:
    """The four numbers as floats; raises a Verdict naming what came instead."""
    if not isinstance(value, Mapping):
        raise Verdict(FAILED, f"It returned a {type(value).__name__}; return a dict.")
    if missing := [key for key in KEYS if key not in value]:
        raise Verdict(FAILED, f"The dict has no {missing[0]!r}: its keys are {', '.join(KEYS)}.")
    return {key: number(value[key], repr(key)) for key in KEYS}


class Sickness(NamedTuple):
    """How one run is made ill, and by which mark of its log it is known.

    gap, gain, kind: of its sentences and its W. mark: whether the last row shows it. misses:
    what a log without the mark shows instead, in words.
    """

    gap: int
    gain: float
    kind: str
    mark: Callable[[Row], bool]
    misses: str


SICKNESSES = {
    "forward explosion": Sickness(
        44, 1.5, "linear",
        lambda last: not last["loss"] <= 1e4,
        "states that overflow take the loss with them, and its last loss is {loss:.2g}",
    ),
    "backward overflow": Sickness(
        1000, 4.0, "tanh",
        lambda last: not math.isfinite(last["norm"]) and last["loss"] < 1e4,
        "the norm would end as inf or NaN while the loss stays ordinary; its last norm is "
        "{norm:.2g} and its last loss {loss:.2g}",
    ),
    "silent saturation": Sickness(
        44, 4.0, "tanh",
        lambda last: math.isfinite(last["norm"]) and last["saturated"] > 0.9,
        "nearly all units would be stuck at the end of a run that goes on, and its share of "
        "saturated units ends at {saturated:.2f} after {rows} of 20 rows",
    ),
    "vanishing": Sickness(
        80, 3**-0.5, "tanh",
        lambda last: math.isfinite(last["norm"]) and last["saturated"] < 0.5,
        "its run would go on with units that move freely, and this one has {rows} of 20 rows and "
        "ends with a share of {saturated:.2f} saturated",
    ),
}  # fmt: skip
ORDER = np.random.default_rng(5).permutation(len(SICKNESSES))
HIDDEN = dict(zip("ABCD", (list(SICKNESSES)[place] for place in ORDER), strict=True))


def sick_runs(log_row: Callable[[nn.Module, Tensor, Tensor], Row]) -> dict[str, dict[str, Array]]:
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
            while len(rows) < STEPS and (not rows or math.isfinite(rows[-1]["norm"])):
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
        last = {key: float(values[-1]) for key, values in logs[letter].items()}
        if not SICKNESSES[name].mark(last):
            reason = SICKNESSES[name].misses.format(**last, rows=len(logs[letter]["loss"]))
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
