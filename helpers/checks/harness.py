"""Call a learner's function on copies of the inputs, whatever it may do.

`attempt` gives one outcome for each input, or raises a Verdict that says in plain words
why there is none.
"""

from __future__ import annotations

import copy
import inspect
import linecache
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from helpers.checks.limits import OutOfTime, Stopped, limited, settings_kept
from helpers.checks.results import FAILED, NOT_ATTEMPTED, Verdict

SECONDS = 5.0  # for all calls of one check together
LONGEST_REASON = 200  # characters of an exception's own words
Case = Mapping[str, Any]
KINDS = {
    "numpy": lambda value: value.numpy() if isinstance(value, Tensor) else value,
    "torch": lambda value: torch.from_numpy(value) if isinstance(value, np.ndarray) else value,
}


@dataclass(frozen=True)
class Outcome:
    """What one call gave: a value or an error, and the inputs that it changed."""

    value: Any = None
    error: BaseException | None = None
    changed: tuple[str, ...] = ()


def attempt(
    function: Any,
    cases: Sequence[Case],
    receive: Callable[[Any], Any],
    *,
    kinds: Sequence[str] = ("numpy", "torch"),
    may_change: bool = False,
    may_return_none: bool = False,
    copies: bool = True,
) -> list[Outcome]:
    """Call function on a fresh copy of each case's values, in their order.

    receive: turns what came back into what is compared, or raises a Verdict.
    kinds: "numpy" or "torch", the arrays to call with; the second is tried if the first
    call ends in a TypeError, an AttributeError or a RuntimeError.
    may_change: whether the function may work in place. may_return_none: whether None is an
    answer. copies: False hands over the values themselves, once, whatever their kind.
    Raises a Verdict if the function is an untouched stub, fails on the first case, runs
    out of time, returns None or changes what it was given. A later case that fails is an
    outcome with an error.
    """
    _check_callable(function, cases[0])

    def calls() -> list[Outcome]:
        outcomes = _calls(function, cases, receive, kinds[0] if copies else None)
        if isinstance(outcomes[0].error, (TypeError, AttributeError, RuntimeError)):
            for kind in kinds[1:] if copies else ():
                others = _calls(function, cases, receive, kind)
                if others[0].error is None or isinstance(others[0].error, Verdict):
                    return others
        return outcomes

    try:
        with settings_kept():
            outcomes = limited(calls, SECONDS)
    except OutOfTime as late:
        lines = [f"It did not end within {SECONDS:g} s. Is there a loop without an end?"]
        lines.append("If not, the machine may be busy: run the check once more.")
        if not late.ended:
            lines.append("It could not be stopped: restart the kernel before you go on.")
        raise Verdict(FAILED, *lines) from None
    for outcome in outcomes:
        _check_stub(function, outcome.error)
    if outcomes[0].error is not None:
        raise failure(function, outcomes[0].error, cases[0])
    if not may_return_none and any(o.value is None and o.error is None for o in outcomes):
        raise Verdict(FAILED, "It returned None. Is the return statement missing?")
    changed = sorted({name for outcome in outcomes for name in outcome.changed})
    if changed and not may_change:
        raise Verdict(
            FAILED,
            f"It changed {' and '.join(changed)}, which the caller still needs.",
            "Make a new array, or work on a copy: += and [...] = write into the old one.",
        )
    return outcomes


def failure(function: Any, error: BaseException, case: Case) -> Verdict:
    """The Verdict for an error: its name and words, the learner's line, the inputs' shapes."""
    if isinstance(error, Verdict):
        return error
    lines = [_said(error)]
    where = _line_of(function, error)
    if where:
        lines.append(where)
    shapes = shapes_of(case)
    if shapes:
        lines.append(f"It was called with {shapes}.")
    return Verdict(FAILED, *lines)


def shapes_of(case: Case) -> str:
    """The shapes of a case's arrays, such as "x (3,) and W (4, 4)"."""
    shapes = [
        f"{name} {tuple(value.shape)}"
        for name, value in case.items()
        if isinstance(value, (np.ndarray, Tensor))
    ]
    return " and ".join([", ".join(shapes[:-1]), *shapes[-1:]] if len(shapes) > 1 else shapes)


def _check_callable(function: Any, case: Case) -> None:
    if not callable(function):
        raise Verdict(
            FAILED, f"The check needs your function itself; it got {type(function).__name__}."
        )
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(*case.values())
    except TypeError:
        wanted = f"({', '.join(case)})"
        raise Verdict(
            FAILED, f"It is called with {wanted}, in this order; yours takes {signature}."
        ) from None


def _calls(
    function: Any, cases: Sequence[Case], receive: Callable[[Any], Any], kind: str | None
) -> list[Outcome]:
    """An outcome for each case; only the first one's if that is an error."""
    outcomes: list[Outcome] = []
    for case in cases:
        outcomes.append(_call(function, case, receive, kind))
        if outcomes[0].error is not None:
            break
    return outcomes


def _call(function: Any, case: Case, receive: Callable[[Any], Any], kind: str | None) -> Outcome:
    given, kept = dict(case), {}
    if kind is not None:
        given = {name: _mapped(value, KINDS[kind]) for name, value in copy.deepcopy(given).items()}
        kept = copy.deepcopy(given)
    try:
        returned = function(*given.values())
        value = None if returned is None else receive(returned)
    except Stopped:
        raise
    except BaseException as error:
        return Outcome(error=error)
    return Outcome(value, None, tuple(n for n in kept if not _same(given[n], kept[n])))


def _mapped(value: Any, convert: Callable[[Any], Any]) -> Any:
    if isinstance(value, list):
        return [convert(each) for each in value]
    return convert(value)


def _same(one: Any, other: Any) -> bool:
    """Whether a value is as it was; things that are neither numbers nor words count as such."""
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, (np.ndarray, Tensor)):
        one, other = (np.asarray(each.detach() if isinstance(each, Tensor) else each)
                      for each in (one, other))  # fmt: skip
        return np.array_equal(one, other, equal_nan=True)
    return one == other if isinstance(one, (str, int, float)) else True


def _check_stub(function: Any, error: BaseException | None) -> None:
    """Raise a Verdict if the error is the stub's own `raise NotImplementedError()`."""
    if type(error) is not NotImplementedError or error.args:
        return
    code = _code(function)
    frames = list(traceback.walk_tb(error.__traceback__))
    if code is None or frames[-1][0].f_code is not code:
        return
    if code.co_names == ("NotImplementedError",):
        raise Verdict(NOT_ATTEMPTED)
    raise Verdict(
        FAILED,
        "The line `raise NotImplementedError()` is still there, and the function ends at it.",
        "Delete it once your code stands in its place.",
    )


def _code(function: Any) -> Any:
    function = inspect.unwrap(function)
    return getattr(getattr(function, "func", function), "__code__", None)


def _said(error: BaseException) -> str:
    """The error's name and the first line of its words."""
    try:
        words = str(error).strip().split("\n")[0]
    except Exception:
        words = ""
    name = type(error).__name__
    return f"{name}: {words[:LONGEST_REASON]}" if words else f"{name}."


def _line_of(function: Any, error: BaseException) -> str | None:
    """The innermost line of the learner's own code on the way to the error."""
    code = _code(function)
    if code is None:
        return None
    own = [
        (frame.f_code, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename == code.co_filename
    ]
    if not own:
        return None
    inner, line = own[-1]
    text = linecache.getline(inner.co_filename, line).strip()
    where = f"That was line {line - inner.co_firstlineno + 1} of {inner.co_name}"
    return f"{where}: {text}" if text else f"{where}."
