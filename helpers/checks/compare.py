"""Compare a learner's function with a plain reference, and name the likely mistake."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

from helpers.checks.arrays import close, off, one_array, one_number, several
from helpers.checks.harness import Case, Outcome, attempt, changes_told, failure, shapes_of
from helpers.checks.results import WRONG_SHAPE, WRONG_VALUES, Verdict
from helpers.validation import Array

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
    """Shape first, then values, then the mistakes; returns what to say if all is right.

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
    with changes_told(outcomes) as told:
        judge_shapes(compared, got, want, names, mistakes, shape)
        judge_values(compared, got, want, names, mistakes)
        check_errors(function, cases, outcomes)
    return f"Right on {len(cases)} random inputs of several sizes.{told}"


def check_errors(function: Any, cases: Sequence[Case], outcomes: Sequence[Outcome]) -> None:
    """Raise a Verdict for the first case on which the function failed."""
    for case, outcome in zip(cases, outcomes, strict=True):
        if outcome.error is not None:
            raise failure(function, outcome.error, case)


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
            wanted = f"have {shape} = " if shape else "have "
            wanted = f"{wanted}{right[part].shape}" if right[part].shape else "be one number"
            lines = [f"{subject} has shape {mine[part].shape} and should {wanted}."]
            found = named(cases, got, part, mistakes)
            if not found and shapes_of(case):
                found = [f"The inputs had the shapes {shapes_of(case)}."]
            lines += found
            raise Verdict(WRONG_SHAPE, *lines)


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
    """What the first mistake says that gives, on every case, what the learner's function gave."""
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
    """What can be said of a wrong result that is no known mistake."""
    if not all(np.isfinite(each).all() for each in got):
        return "Your result holds inf or NaN, and every right value is finite."
    mine, right = (np.concatenate([each.ravel() for each in side]) for side in (got, want))
    if not mine.any():
        return "Your result is zero everywhere."
    rounded = _rounded(mine, right)
    if rounded:
        return rounded
    factor = mine @ right / (right @ right) if right.any() else 0.0
    if close(mine, factor * right):
        return _scaled(factor)
    offset = float((mine - right).mean())
    if close(mine, right + offset):
        side = "larger" if offset > 0 else "smaller"
        return f"Your result is {abs(offset):.3g} {side} than it should be, everywhere."
    wrong_on = [case for case, *pair in zip(cases, got, want, strict=True) if not close(*pair)]
    if len(wrong_on) < len(cases):
        shapes = shapes_of(wrong_on[0])
        first = f"the first that is wrong had {shapes}." if shapes else "how do they differ?"
        return f"It is right on {len(cases) - len(wrong_on)} of {len(cases)} inputs: {first}"
    wrong = sum(int(off(*pair).sum()) for pair in zip(got, want, strict=True))
    largest = np.abs(mine - right).max()
    return (
        f"Numbers that are off: {wrong} of {mine.size}, by up to {largest:.2g}. "
        "Compare with the formula, term by term."
    )


def _scaled(factor: float) -> str:
    """What to say of a result that is the right one times a factor."""
    if abs(factor - 1) < NEAR:
        side = "large" if factor > 1 else "small"
        return f"Your result is {100 * abs(factor - 1):.2g} % too {side}, everywhere."
    return f"Your result is {factor:.3g} times as large as it should be, everywhere."


def _held(numbers: Array, dtype: torch.dtype) -> Array:
    return torch.tensor(numbers).to(dtype).double().numpy()


def _rounded(mine: Array, right: Array) -> str | None:
    """What to say of the right result in a format of too few digits; None if it is not that."""
    for dtype, digits in ((torch.bfloat16, "two digits"), (torch.float16, "three digits")):
        rounding = ROUNDINGS * torch.finfo(dtype).eps * np.abs(right).max()
        held, exact = (np.array_equal(_held(side, dtype), side) for side in (mine, right))
        if held and not exact and np.abs(mine - right).max() <= rounding:
            name = str(dtype).removeprefix("torch.")
            return (
                f"It is right to the precision of {name}, about {digits}: "
                "calculate in float32 or float64."
            )
    return None
