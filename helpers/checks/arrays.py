"""Whatever a learner's function returns, as float64 arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
from torch import Tensor

from helpers.checks.results import FAILED, WRONG_SHAPE, Verdict
from helpers.validation import Array

RELATIVE, ABSOLUTE = 1e-5, 1e-6  # float32 passes, every named mistake fails


def to_array(value: Any, name: str = "result", wanted: str = "an array of real numbers") -> Array:
    """A number, list, NumPy array or torch tensor, with or without a gradient, as float64.

    wanted: what is asked for, in words. Raises a Verdict naming what came instead.
    """
    try:
        array = _converted(value)
    except Exception:
        array = None
    if array is None or array.dtype.kind not in "fiu":
        where = "It returned" if name == "result" else f"{name} is"
        raise Verdict(FAILED, f"{where} {_kind(value, array)}; {wanted} is needed.")
    return array.astype(np.float64)


def to_number(value: Any) -> Array:
    """As to_array, where one number is asked for; any number of them is accepted."""
    return to_array(value, wanted="a real number")


def _kind(value: Any, array: Array | None) -> str:
    """What is no array of real numbers, in words."""
    if array is not None and array.dtype.kind == "c":
        return "numbers that are not real"
    if type(value) is int:
        return "a whole number beyond any float's range"
    return f"a value of type {type(value).__name__}"


def _converted(value: Any) -> Array:
    if isinstance(value, Tensor):
        value = value.detach().cpu()
        return (value.double() if value.is_floating_point() else value).numpy()
    if isinstance(value, (list, tuple)):
        return np.array([_converted(each) for each in value])
    return np.asarray(value)


def one_array(value: Any) -> tuple[Array, ...]:
    """The single part of a function that returns one array."""
    return (to_array(value),)


def one_number(value: Any) -> tuple[Array, ...]:
    """The single part of a function that returns one number."""
    return (to_number(value),)


def several(names: Sequence[str]) -> Callable[[Any], tuple[Array, ...]]:
    """For a function that returns a tuple: turns it into that many arrays."""

    def receive(value: Any) -> tuple[Array, ...]:
        wanted = f"({', '.join(names)})"
        if isinstance(value, Iterator):
            value = tuple(islice(value, len(names) + 1))  # it may have no end
        if not isinstance(value, (list, tuple)):
            raise Verdict(WRONG_SHAPE, f"It returned one {type(value).__name__}; return {wanted}.")
        if len(value) != len(names):
            amount = "more" if len(value) > len(names) else "fewer"
            raise Verdict(WRONG_SHAPE, f"It returned {amount} than {len(names)}: return {wanted}.")
        return tuple(map(to_array, value, names))

    return receive


def close(got: Array, want: Array) -> bool:
    """Whether two arrays have one shape and agree to float32's precision; NaN is never close."""
    return got.shape == want.shape and not off(got, want).any()


def off(got: Array, want: Array) -> Array:
    """Where an array of the right shape differs by more than float32's rounding, as booleans."""
    scale = np.abs(want).max(initial=0)
    return ~(np.abs(got - want) <= RELATIVE * scale + ABSOLUTE)
