"""Call a learner's function on copies of the inputs, whatever it may do.

`attempt` gives one outcome for each input, or raises a Verdict that says in plain words
why there is none.
"""

from __future__ import annotations

import _thread
import contextlib
import copy
import inspect
import io
import linecache
import random
import signal
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import CodeType, FrameType
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from helpers.checks.results import FAILED, NOT_ATTEMPTED, Verdict

SECONDS = 5.0  # of computing, for all calls of one check together
LONGEST = 10  # times as long by the clock, where the machine is busy or the code only waits
PAUSE = 0.2  # seconds between two requests to stop
LONGEST_REASON = 200  # characters of an exception's own words
LONGEST_PRINT = 100_000  # characters that are shown of what the calls printed
ABOUT_KINDS = (TypeError, AttributeError, RuntimeError)
KIND_NAMES = {"numpy": "numpy.", "torch": "Tensor"}  # as errors about that kind write it
Case = Mapping[str, Any]


class Outcome(NamedTuple):
    """What one call gave: a value or an error, and the names of the inputs that it changed."""

    value: Any = None
    error: BaseException | None = None
    changed: tuple[str, ...] = ()


class OutOfTime(BaseException):
    """Raised inside a function that ran out of time."""


def attempt(
    function: Any,
    cases: Sequence[Case],
    receive: Callable[[Any], Any],
    *,
    kinds: Sequence[str] = ("numpy", "torch"),
    may_return_none: bool = False,
    seconds: float | None = None,
) -> list[Outcome]:
    """Call function on a fresh copy of each case's values, in their order.

    receive: turns what came back into what is compared, or raises a Verdict.
    kinds: "numpy" or "torch", the arrays to call with; the second is tried if the first
    call ends in an error that may be about the kind. ("own",) hands over the values themselves.
    may_return_none: whether None is an answer.
    seconds: for all calls together, SECONDS unless given.
    Raises a Verdict if the function is an untouched stub, fails on the first case, runs
    out of time or returns None. A later case that fails is an outcome with an error.
    """
    _check_callable(function, cases[0])
    seconds = SECONDS if seconds is None else seconds
    printed = io.StringIO()

    def calls() -> list[Outcome]:
        tried: dict[str, Outcome] = {}
        for kind in kinds:
            printed.truncate(printed.seek(0))  # only the last kind's call is shown
            first = tried[kind] = _call(function, cases[0], receive, kind)
            if not isinstance(first.error, ABOUT_KINDS):
                break
        else:
            kind = max(tried, key=lambda each: _reached(function, tried[each].error, each))
            first = tried[kind]
        later = cases[1:] if first.error is None else ()
        return [first, *(_call(function, case, receive, kind) for case in later)]

    try:
        with settings(), contextlib.redirect_stdout(printed):
            outcomes = limited(calls, seconds)
    except OutOfTime:
        raise Verdict(
            FAILED,
            f"It did not end within {seconds:g} s. Is there a loop without an end?",
            "If not, the machine may be busy: run the check once more.",
        ) from None
    finally:
        print(printed.getvalue()[:LONGEST_PRINT], end="")
    for outcome in outcomes:
        _check_stub(function, outcome.error)
    check_errors(function, cases[:1], outcomes[:1])
    if not may_return_none:
        _check_none(cases, outcomes)
    return outcomes


def check_errors(function: Any, cases: Sequence[Case], outcomes: Sequence[Outcome]) -> None:
    """Raise a Verdict for the first case on which the function failed.

    It tells the error's words, the learner's own line and the inputs' shapes.
    """
    failed = ((o.error, case) for case, o in zip(cases, outcomes, strict=True) if o.error)
    for error, case in failed:
        if isinstance(error, Verdict):
            raise error
        words = str(error).strip().split("\n")[0][:LONGEST_REASON]
        lines = [f"{type(error).__name__}: {words}" if words else f"{type(error).__name__}."]
        for code, number in _own_lines(function, error)[-1:]:
            text = linecache.getline(code.co_filename, number).strip()
            where = f"That was line {number - code.co_firstlineno + 1} of {code.co_name}"
            lines.append(f"{where}: {text}" if text else f"{where}.")
        if shapes := shapes_of(case):
            lines.append(f"It was called with {shapes}.")
        raise Verdict(FAILED, *lines)


def shapes_of(case: Case) -> str:
    """Return the shapes of a case's arrays, such as "x (3,) and W (4, 4)"; numbers have none."""
    shapes = [f"{name} {shape}" for name, value in case.items() if (shape := _shape_of(value))]
    return " and ".join([", ".join(shapes[:-1]), *shapes[-1:]] if len(shapes) > 1 else shapes)


def _shape_of(value: Any) -> str:
    if isinstance(value, (np.ndarray, Tensor)):
        return str(tuple(value.shape)) if value.ndim else ""
    if isinstance(value, list) and all(isinstance(each, Tensor) for each in value):
        return f"[{', '.join(str(tuple(each.shape)) for each in value)}]"
    return ""


def _check_callable(function: Any, case: Case) -> None:
    if not callable(function):
        kind = type(function).__name__
        raise Verdict(FAILED, f"The check needs your function itself; it got {kind}.")
    with contextlib.suppress(ValueError):  # not every callable can tell what it takes
        signature = inspect.signature(function)
        try:
            signature.bind(*case.values())
        except TypeError:
            wanted = f"It is called with ({', '.join(case)}), in this order"
            raise Verdict(FAILED, f"{wanted}; yours takes {signature}.") from None


def _reached(function: Any, error: BaseException | None, kind: str) -> tuple[list[int], bool]:
    """How far the code got with a kind of array, and whether something else stopped it."""
    lines = [number for _, number in _own_lines(function, error)]
    return lines, KIND_NAMES.get(kind, "") not in str(error)


def _call(function: Any, case: Case, receive: Callable[[Any], Any], kind: str) -> Outcome:
    given, kept = dict(case), {}
    if kind != "own":
        given = {name: _as(kind, value) for name, value in copy.deepcopy(given).items()}
        kept = copy.deepcopy(given)
    try:
        returned = function(*given.values())
        value = None if returned is None else receive(returned)
    except (Exception, SystemExit) as error:
        return Outcome(error=error)
    return Outcome(value, None, tuple(n for n in kept if not _same(given[n], kept[n])))


def _as(kind: str, value: Any) -> Any:
    if isinstance(value, list):
        return [_as(kind, each) for each in value]
    if kind == "numpy":
        return value.numpy() if isinstance(value, Tensor) else value
    return torch.from_numpy(value) if isinstance(value, np.ndarray) else value


def _same(one: Any, other: Any) -> bool:
    """Whether a value is as it was; of what is neither number nor word the type is enough."""
    if type(one) is not type(other):
        return False
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, Tensor):
        return one.dtype == other.dtype and _same(one.detach().numpy(), other.numpy())
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other, equal_nan=True)
    return one == other if isinstance(one, (str, int, float)) else True


def _check_stub(function: Any, error: BaseException | None) -> None:
    """Raise a Verdict if the error is the stub's own `raise NotImplementedError()`."""
    if type(error) is not NotImplementedError or error.args:
        return
    code = _code(function)
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    if code is None or frames[-1].f_code is not code:
        return
    if code.co_names == ("NotImplementedError",):
        raise Verdict(NOT_ATTEMPTED)
    raise Verdict(
        FAILED,
        "The line `raise NotImplementedError()` is still there, and the function ends at it.",
        "Delete it once your code stands in its place.",
    )


def _check_none(cases: Sequence[Case], outcomes: Sequence[Outcome]) -> None:
    """Raise a Verdict if None came back, saying whether always or where."""
    pairs = zip(cases, outcomes, strict=True)
    empty = [case for case, each in pairs if each.value is None and each.error is None]
    if len(empty) == len(cases):
        raise Verdict(FAILED, "It returned None. Is the return statement missing?")
    if empty:
        shapes = shapes_of(empty[0])
        first = f", the first with {shapes}" if shapes else ""
        raise Verdict(
            FAILED,
            f"It returned None for {len(empty)} of {len(cases)} inputs{first}.",
            "Does every branch end in a return?",
        )


def _code(function: Any) -> CodeType | None:
    return getattr(inspect.unwrap(function), "__code__", None)


def _own_lines(function: Any, error: BaseException | None) -> list[tuple[CodeType, int]]:
    """Code and line of each frame in the learner's own file, the outermost first."""
    code = _code(function)
    if code is None or error is None:
        return []
    frames = traceback.walk_tb(error.__traceback__)
    return [(f.f_code, n) for f, n in frames if f.f_code.co_filename == code.co_filename]


def limited(job: Callable[[], Any], seconds: float) -> Any:
    """Return job(), or raise OutOfTime inside it after so many seconds of computing.

    A timer asks for an interrupt, and the handler that Python then runs in the main thread
    looks at the stack that it interrupts: while anything is being imported it waits, since a
    module whose import is cut off stays broken for the whole kernel. A keyboard interrupt does
    what it did before. Outside the main thread, where no handler runs, there is no limit.
    """
    if threading.current_thread() is not threading.main_thread():
        return job()
    over, late, raised_at = threading.Event(), threading.Event(), [-PAUSE]
    computed, began = time.process_time(), time.monotonic()

    def ask() -> None:
        while not over.wait(PAUSE / 4):
            waited = time.monotonic() - began
            if time.process_time() - computed > seconds or waited > LONGEST * seconds:
                late.set()
                _thread.interrupt_main()

    def stop(number: int, frame: FrameType | None) -> None:
        if not late.is_set():
            if callable(before):
                before(number, frame)
        elif not (over.is_set() or _importing(frame) or time.monotonic() < raised_at[0] + PAUSE):
            raised_at[0] = time.monotonic()
            raise OutOfTime

    before = signal.getsignal(signal.SIGINT) or signal.SIG_DFL
    timer = threading.Thread(target=ask, daemon=True)
    signal.signal(signal.SIGINT, stop)
    try:
        timer.start()
        try:
            return job()
        finally:
            over.set()
    finally:  # once more, should the request have come between the two
        over.set()
        timer.join()
        signal.signal(signal.SIGINT, before)


def _importing(frame: FrameType | None) -> bool:
    """Whether an import is under way between `limited` and the interrupted frame."""
    while frame is not None and frame.f_code is not limited.__code__:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


@contextlib.contextmanager
def settings() -> Iterator[None]:
    """Give every library its defaults inside, and put back the notebook's own afterwards.

    The random states of Python, NumPy and torch, torch's default dtype, gradient mode and
    number of threads, NumPy's error handling and the warning filters. Not torch's device: that
    is a mode, and a mode left by a function that runs out of time breaks torch for the kernel.
    """
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    dtype, threads = torch.get_default_dtype(), torch.get_num_threads()
    with (
        warnings.catch_warnings(),
        torch.random.fork_rng(devices=[]),
        torch.inference_mode(False),
        torch.enable_grad(),
        np.errstate(divide="warn", over="warn", under="ignore", invalid="warn"),
    ):
        torch.set_default_dtype(torch.float32)
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)  # noqa: NPY002
            torch.set_default_dtype(dtype)
            if torch.get_num_threads() != threads:
                torch.set_num_threads(threads)
