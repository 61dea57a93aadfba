"""Compare a learner's function with a plain reference, and name the likely mistake."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from helpers.checks.attempt import Case, Outcome, attempt, check_errors, shapes_of
from helpers.checks.results import FAILED, WRONG_SHAPE, WRONG_VALUES, Verdict
from helpers.validation import Array

RELATIVE, ABSOLUTE = 1e-5, 1e-6  # float32 passes, every named mistake fails
NEAR = 0.05  # of the right size: said in percent
ROUNDINGS = 8  # in one task: more than a short format loses there
Parts = tuple[Array, ...]


class Mistake(NamedTuple):
    """A wrong formula that learners write.

    says: what it suggests, in words. formula: from a case's values to what the mistake
    would return. part: which of several returned arrays it concerns.
    """

    says: str
    formula: Callable[..., Any]
    part: int = 0


def compare(
    function: Any,
    cases: Sequence[Case],
    reference: Callable[..., Any],
    mistakes: Sequence[Mistake],
    *,
    names: Sequence[str] = ("result",),
    shape: str = "",
    kinds: Sequence[str] = ("numpy", "torch"),
) -> str:
    """Judge shapes, then values, then changed arguments; return what to say if all is right.

    names: of the returned arrays. shape: their shapes in the task's words. kinds: of the
    arrays that the function is called with, as for `attempt`.
    Raises a Verdict otherwise.
    """
    want = [_parts(reference(**case)) for case in cases]
    scalar = all(part.shape == () for part in want[0])
    single = one_number if scalar else one_array
    outcomes = attempt(function, cases, single if len(names) == 1 else several(names), kinds=kinds)
    given = [i for i, outcome in enumerate(outcomes) if outcome.error is None]
    want, compared = [want[i] for i in given], [cases[i] for i in given]
    got = [_like(outcomes[i].value, right) for i, right in zip(given, want, strict=True)]
    with unchanged(outcomes):
        judge_shapes(compared, got, want, names, mistakes, shape)
        judge_values(compared, got, want, names, mistakes)
        check_errors(function, cases, outcomes)
    return f"Right on {len(cases)} random inputs of several sizes."


@contextlib.contextmanager
def unchanged(outcomes: Sequence[Outcome]) -> Iterator[None]:
    """Refuse what is right inside but overwrote an argument; a Verdict from inside tells it too."""
    names = " and ".join(sorted({name for outcome in outcomes for name in outcome.changed}))
    try:
        yield
    except Verdict as verdict:
        verdict.lines += (f"It also overwrote {names}.",) if names else ()
        raise
    if names:
        raise Verdict(
            WRONG_VALUES,
            f"It overwrote {names}, and the caller still needs the old values.",
            "Which line writes into it? += and [:] = do; a new array does not.",
            head="right values, but an argument changed",
        )


def to_array(value: Any, name: str = "result", wanted: str = "an array of real numbers") -> Array:
    """Return a number, list, NumPy array or torch tensor, with or without a gradient, as float64.

    wanted: what is asked for, in words. Raises a Verdict naming what came instead.
    """
    try:
        array = _converted(value)
    except Exception:  # whatever the learner's value does
        array = None
    if array is None or array.dtype.kind not in "fiu":
        where = "It returned" if name == "result" else f"{name} is"
        raise Verdict(FAILED, f"{where} {_kind(value, array)}; {wanted} is needed.")
    return array.astype(np.float64)


def _kind(value: Any, array: Array | None) -> str:
    """Return what is no array of real numbers, in words."""
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


def one_array(value: Any) -> Parts:
    """Receive one array."""
    return (to_array(value),)


def one_number(value: Any) -> Parts:
    """Receive one number; an array is received as well, so that its shape can be told."""
    return (to_array(value, wanted="a real number"),)


def several(names: Sequence[str]) -> Callable[[Any], Parts]:
    """Return a function that receives a tuple of that many arrays."""

    def receive(value: Any) -> Parts:
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
    return got.shape == want.shape and not _off(got, want).any()


def _off(got: Array, want: Array) -> Array:
    scale = np.abs(want).max(initial=0)
    return ~(np.abs(got - want) <= RELATIVE * scale + ABSOLUTE)


def _parts(value: Any) -> Parts:
    parts = value if isinstance(value, tuple) else (value,)
    return tuple(np.asarray(part, dtype=np.float64) for part in parts)


def _like(got: Parts, want: Parts) -> Parts:
    """A single number may come in any shape."""
    pairs = zip(got, want, strict=True)
    return tuple(g.reshape(()) if g.size == 1 and w.shape == () else g for g, w in pairs)


def judge_shapes(
    cases: Sequence[Case],
    got: Sequence[Parts],
    want: Sequence[Parts],
    names: Sequence[str],
    mistakes: Sequence[Mistake],
    shape: str,
) -> None:
    """Raise a Verdict if a shape is wrong anywhere."""
    for case, mine, right in zip(cases, got, want, strict=True):
        shapes, wanted = [part.shape for part in mine], [part.shape for part in right]
        if shapes != wanted and shapes == wanted[::-1]:
            order = ", ".join(names)
            raise Verdict(WRONG_SHAPE, f"They are in the other order: return ({order}).")
        for part, name in enumerate(names):
            if mine[part].shape == right[part].shape:
                continue
            subject = "The result" if name == "result" else name
            asked = f"have {shape} = " if shape else "have "
            asked = f"{asked}{right[part].shape}" if right[part].shape else "be one number"
            found = named(cases, got, part, mistakes)
            if not found and shapes_of(case):
                found = [f"The inputs had the shapes {shapes_of(case)}."]
            seen = f"{subject} has shape {mine[part].shape} and should {asked}."
            raise Verdict(WRONG_SHAPE, seen, *found)


def judge_values(
    cases: Sequence[Case],
    got: Sequence[Parts],
    want: Sequence[Parts],
    names: Sequence[str],
    mistakes: Sequence[Mistake],
) -> None:
    """Raise a Verdict if a value is wrong anywhere."""
    lines: list[str] = []
    for part, name in enumerate(names):
        mine, right = [g[part] for g in got], [w[part] for w in want]
        if all(map(close, mine, right)):
            continue
        found = named(cases, got, part, mistakes) or [observed(cases, mine, right)]
        lines += found if name == "result" else [f"{name}: {line}" for line in found]
    if lines:
        head = None if any(part.ndim for part in want[0]) else "wrong values"
        raise Verdict(WRONG_VALUES, *lines, head=head)


def named(
    cases: Sequence[Case], got: Sequence[Parts], part: int, mistakes: Sequence[Mistake]
) -> list[str]:
    """Return what the first mistake says that gives, on every case, what the learner's gave."""
    for mistake in mistakes:
        if mistake.part == part and all(
            _gives(mistake, case, mine[part]) for case, mine in zip(cases, got, strict=True)
        ):
            return [mistake.says]
    return []


def _gives(mistake: Mistake, case: Case, got: Array) -> bool:
    try:
        wrong = np.asarray(mistake.formula(**case), dtype=np.float64)
    except ValueError:  # shapes that do not fit together in this case
        return False
    return close(got, wrong)


def observed(cases: Sequence[Case], got: Sequence[Array], want: Sequence[Array]) -> str:
    """Return what can be said of a wrong result that is no known mistake."""
    if not all(np.isfinite(each).all() for each in got):
        return "Your result holds inf or NaN, and every right value is finite."
    mine, right = (np.concatenate([each.ravel() for each in side]) for side in (got, want))
    if not mine.any():
        return "Your result is zero everywhere."
    rounded = _rounded(mine, right)
    if rounded:
        return rounded
    factor = float(mine @ right / (right @ right)) if right.any() else 0.0
    if close(mine, factor * right):
        if abs(factor - 1) < NEAR:
            side = "large" if factor > 1 else "small"
            return f"Your result is {100 * abs(factor - 1):.2g} % too {side}, everywhere."
        return f"Your result is {factor:.3g} times as large as it should be, everywhere."
    offset = float((mine - right).mean())
    if close(mine, right + offset):
        side = "larger" if offset > 0 else "smaller"
        return f"Your result is {abs(offset):.3g} {side} than it should be, everywhere."
    wrong_on = [case for case, *pair in zip(cases, got, want, strict=True) if not close(*pair)]
    if len(wrong_on) < len(cases):
        shapes = shapes_of(wrong_on[0])
        first = f"the first that is wrong had {shapes}." if shapes else "how do they differ?"
        return f"It is right on {len(cases) - len(wrong_on)} of {len(cases)} inputs: {first}"
    wrong = sum(int(_off(*pair).sum()) for pair in zip(got, want, strict=True))
    return (
        f"Numbers that are off: {wrong} of {mine.size}, by up to {np.abs(mine - right).max():.2g}. "
        "Compare with the formula, term by term."
    )


def _rounded(mine: Array, right: Array) -> str:
    """Return what to say of the right result in too few digits; "" if it is not that."""
    for dtype, digits in ((torch.bfloat16, "two digits"), (torch.float16, "three digits")):
        rounding = ROUNDINGS * torch.finfo(dtype).eps * np.abs(right).max()
        held, exact = (
            np.array_equal(torch.tensor(side).to(dtype).double().numpy(), side)
            for side in (mine, right)
        )
        if held and not exact and np.abs(mine - right).max() <= rounding:
            name = str(dtype).removeprefix("torch.")
            return (
                f"It is right to the precision of {name}, about {digits}: "
                "calculate in float32 or float64."
            )
    return ""
