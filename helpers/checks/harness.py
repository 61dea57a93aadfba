"""Call a learner's function on copies of the inputs, whatever it may do.

`attempt` gives one outcome for each input, or raises a Verdict that says in plain words
why there is none.
"""

from __future__ import annotations

import contextlib
import copy
import inspect
import io
import linecache
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import CodeType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from helpers.checks.limits import OutOfTime, Stopped, limited, settings_kept
from helpers.checks.results import FAILED, NOT_ATTEMPTED, Verdict

SECONDS = 5.0  # for all calls of one check together
LONGEST_REASON = 200  # characters of an exception's own words
LONGEST_PRINT = 10_000  # characters that are shown of what a stopped function printed
Case = Mapping[str, Any]
KINDS = {
    "numpy": lambda value: value.numpy() if isinstance(value, Tensor) else value,
    "torch": lambda value: torch.from_numpy(value) if isinstance(value, np.ndarray) else value,
}
KIND_NAMES = {"numpy": "numpy.", "torch": "Tensor"}  # as errors about that kind write it
ABOUT_KINDS = (TypeError, AttributeError, RuntimeError)


@dataclass(frozen=True)
class Outcome:
    """What one call gave: a value or an error, and the inputs that it changed.

    kind: of the arrays it was called with. printed: what was held back of its output.
    """

    value: Any = None
    error: BaseException | None = None
    changed: tuple[str, ...] = ()
    kind: str | None = None
    printed: str = ""


def attempt(
    function: Any,
    cases: Sequence[Case],
    receive: Callable[[Any], Any],
    *,
    kinds: Sequence[str] = ("numpy", "torch"),
    may_return_none: bool = False,
    copies: bool = True,
) -> list[Outcome]:
    """Call function on a fresh copy of each case's values, in their order.

    receive: turns what came back into what is compared, or raises a Verdict.
    kinds: "numpy" or "torch", the arrays to call with; the second is tried if the first
    call ends in an error that may be about the kind.
    may_return_none: whether None is an answer. copies: False hands over the values
    themselves, once, whatever their kind.
    Raises a Verdict if the function is an untouched stub, fails on the first case, runs
    out of time or returns None. A later case that fails is an outcome with an error.
    """
    _check_callable(function, cases[0])

    def calls() -> list[Outcome]:
        first = _first_call(function, cases[0], receive, kinds if copies else (None,))
        later = cases[1:] if first.error is None else ()
        return [first, *(_call(function, case, receive, first.kind) for case in later)]

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
    return outcomes


@contextlib.contextmanager
def changes_told(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """What is to be said of arguments that the function changed, "" if it changed none.

    A Verdict raised inside says it as well.
    """
    changed = " and ".join(sorted({name for outcome in outcomes for name in outcome.changed}))
    said = f"It also changed {changed}, which the caller may need as before: work on a copy."
    try:
        yield f"\n{said}" if changed else ""
    except Verdict as verdict:
        verdict.lines += (said,) if changed else ()
        raise


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
    """The shapes of a case's arrays, such as "x (3,) and W (4, 4)"; single numbers have none."""
    shapes = [f"{name} {shape}" for name, value in case.items() if (shape := _shape_of(value))]
    return " and ".join([", ".join(shapes[:-1]), *shapes[-1:]] if len(shapes) > 1 else shapes)


def _shape_of(value: Any) -> str:
    if isinstance(value, (np.ndarray, Tensor)):
        return str(tuple(value.shape)) if value.ndim else ""
    if isinstance(value, list) and all(isinstance(each, (np.ndarray, Tensor)) for each in value):
        return f"[{', '.join(str(tuple(each.shape)) for each in value)}]"
    return ""


def _check_callable(function: Any, case: Case) -> None:
    if not callable(function):
        raise Verdict(
            FAILED, f"The check needs your function itself; it got {type(function).__name__}."
        )
    try:
        signature = inspect.signature(function)
        taken = str(signature)
    except Exception:  # not every callable can tell what it takes
        return
    try:
        signature.bind(*case.values())
    except TypeError:
        wanted = f"({', '.join(case)})"
        raise Verdict(
            FAILED, f"It is called with {wanted}, in this order; yours takes {taken}."
        ) from None


def _first_call(
    function: Any, case: Case, receive: Callable[[Any], Any], kinds: Sequence[str | None]
) -> Outcome:
    """The outcome with the kind of array that the function was written for.

    What it prints is shown for that kind alone.
    """
    chosen = _quiet_call(function, case, receive, kinds[0])
    for kind in kinds[1:]:
        if isinstance(chosen.error, ABOUT_KINDS):
            other = _quiet_call(function, case, receive, kind)
            chosen = other if _fits_better(function, other, chosen) else chosen
    print(chosen.printed, end="")
    return chosen


def _quiet_call(
    function: Any, case: Case, receive: Callable[[Any], Any], kind: str | None
) -> Outcome:
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            outcome = _call(function, case, receive, kind)
    except Stopped:
        print(printed.getvalue()[:LONGEST_PRINT], end="")
        raise
    return replace(outcome, printed=printed.getvalue())


def _fits_better(function: Any, other: Outcome, first: Outcome) -> bool:
    """Whether the other kind of array suits the learner's code better than the first.

    If both calls failed, it does where the first error is about the kind of array and the
    other one came later in the code, or at the same place and about something else.
    """
    if other.error is None or isinstance(other.error, Verdict):
        return True
    if not _about_kind(first):
        return False
    reached, before = _places(function, other.error), _places(function, first.error)
    return reached > before or (reached == before and not _about_kind(other))


def _about_kind(outcome: Outcome) -> bool:
    return KIND_NAMES[outcome.kind] in _words(outcome.error)


def _places(function: Any, error: BaseException) -> list[int]:
    """How far the learner's own code had come: an instruction for each of its frames."""
    return [place for _, _, place in _own_frames(function, error)]


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
        return Outcome(error=error, kind=kind)
    changed = tuple(name for name in kept if not _same(given[name], kept[name]))
    return Outcome(value, None, changed, kind)


def _mapped(value: Any, convert: Callable[[Any], Any]) -> Any:
    if isinstance(value, list):
        return [convert(each) for each in value]
    return convert(value)


def _same(one: Any, other: Any) -> bool:
    """Whether a value is as it was; of what is neither number nor word the type is enough."""
    if type(one) is not type(other):
        return False
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, Tensor):
        return one.dtype == other.dtype and _same(one.detach().numpy(), other.detach().numpy())
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=True)
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
    try:
        function = inspect.unwrap(function)
        return getattr(getattr(function, "func", function), "__code__", None)
    except Exception:  # attributes of the learner's own making
        return None


def _said(error: BaseException) -> str:
    """The error's name and the first line of its words."""
    name, words = type(error).__name__, _words(error).split("\n")[0]
    return f"{name}: {words[:LONGEST_REASON]}" if words else f"{name}."


def _words(error: BaseException) -> str:
    try:
        return str(error).strip()
    except BaseException:  # an error of the learner's own making may end in any way
        return ""


def _line_of(function: Any, error: BaseException) -> str | None:
    """The innermost line of the learner's own code on the way to the error."""
    own = _own_frames(function, error)
    if not own:
        return None
    inner, line, _ = own[-1]
    text = linecache.getline(inner.co_filename, line).strip()
    where = f"That was line {line - inner.co_firstlineno + 1} of {inner.co_name}"
    return f"{where}: {text}" if text else f"{where}."


def _own_frames(function: Any, error: BaseException) -> list[tuple[CodeType, int, int]]:
    """Code, line and instruction of each frame in the learner's own file, the outermost first."""
    code, found, step = _code(function), [], error.__traceback__
    while code is not None and step is not None:
        if step.tb_frame.f_code.co_filename == code.co_filename:
            found.append((step.tb_frame.f_code, step.tb_lineno, step.tb_lasti))
        step = step.tb_next
    return found
