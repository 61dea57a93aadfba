"""Run a function for a limited time, and leave the libraries' settings as they were.

Works for Python code on every system, since it asks the interpreter, not the operating
system, to stop the thread that the function runs in. Code that stays inside one call of a
library is stopped when that call returns.
"""

from __future__ import annotations

import contextlib
import contextvars
import ctypes
import math
import random
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

GRACE = 1.0  # seconds in which a thread that was asked to stop is asked again
PAUSE = 0.02


class Stopped(SystemExit):
    """Raised inside a function that ran out of time; threads end on it without a word."""


class OutOfTime(Exception):
    """The function ran out of time. ended: whether its thread has ended since."""

    def __init__(self, ended: bool) -> None:
        super().__init__()
        self.ended = ended


def limited(job: Callable[[], Any], seconds: float) -> Any:
    """Return job(), run in a thread of its own.

    What the job raises is raised here. Raises OutOfTime after so many seconds; an
    interrupt from the keyboard stops the job as well.
    """
    done: list[tuple[Any, BaseException | None]] = []

    def work() -> None:
        try:
            done.append((job(), None))
        except BaseException as error:
            done.append((None, error))

    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(work,), daemon=True)
    thread.start()
    try:
        thread.join(seconds)
    finally:
        on_time = not thread.is_alive()
        ended = on_time or _stop(thread)
    if not on_time:
        raise OutOfTime(ended)
    value, error = done[0]
    if error is not None:
        raise error
    return value


def _stop(thread: threading.Thread) -> bool:
    """Raise Stopped in the thread until it ends; returns whether it did within GRACE."""
    give_up = time.monotonic() + GRACE
    while thread.is_alive() and time.monotonic() < give_up:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident), ctypes.py_object(Stopped)
        )
        thread.join(PAUSE)
    return not thread.is_alive()


@contextlib.contextmanager
def settings_kept() -> Iterator[None]:
    """Put back afterwards what a function may have set for everyone.

    The random states of Python, NumPy and torch; torch's default dtype, number of threads
    and deterministic algorithms; warning filters, the recursion limit, the standard
    streams; and the names in math, numpy and torch. (NumPy's error handling, torch's
    gradient mode and default device belong to a thread.)
    """
    kept = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    dtype, threads = torch.get_default_dtype(), torch.get_num_threads()
    strictness = torch.get_deterministic_debug_mode()
    names = [(module, dict(vars(module))) for module in (math, np, torch)]
    recursion, out, err = sys.getrecursionlimit(), sys.stdout, sys.stderr
    try:
        with warnings.catch_warnings():
            yield
    finally:
        sys.stdout, sys.stderr = out, err
        sys.setrecursionlimit(recursion)
        for module, values in names:
            vars(module).update(values)
        random.setstate(kept[0])
        np.random.set_state(kept[1])  # noqa: NPY002
        torch.set_rng_state(kept[2])
        torch.set_default_dtype(dtype)
        if torch.get_deterministic_debug_mode() != strictness:
            torch.set_deterministic_debug_mode(strictness)
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)


@contextlib.contextmanager
def settings_of_the_checks() -> Iterator[None]:
    """The same settings inside, whatever the notebook has set: every library's defaults."""
    with (
        settings_kept(),
        torch.device("cpu"),
        torch.inference_mode(False),
        torch.enable_grad(),
        np.errstate(divide="warn", over="warn", under="ignore", invalid="warn"),
    ):
        torch.set_default_dtype(torch.float32)
        yield
