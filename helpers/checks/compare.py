"""Compare a learner's function with a plain reference, and name the likely mistake."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from helpers.checks.attempt import Case, Outcome, attempt, check_errors, shapes_of
from helpers.checks.results import FAILED, WRONG_SHAPE, WRONG_VALUES, Verdict
from helpers.validation import Array

RELATIVE, ABSOLUTE = 1e-5, 1e-6  # float32 passes, every named mistake fails
Parts = tuple[Array, ...]
Mistakes = Callable[..., Sequence[tuple[str, Any]]]


def compare(
    function: Any,
    cases: Sequence[Case],
    reference: Callable[..., Any],
    *mistakes: Mistakes,
    names: Sequence[str] = ("result",),
    shape: str = "",
    kinds: Sequence[str] = ("numpy", "torch"),
) -> str:
    """Judge shapes, then values, then changed arguments; return what to say if all is right.

    mistakes: for each returned array, from a case's values to the wrong formulas that
    learners write: what each suggests in words, and its result; a function that gives the
    result where shapes may not fit together.
    names: of the returned arrays. shape: theirs in the task's words. kinds: as for `attempt`.
    Raises a Verdict otherwise.
    """
    want = [_parts(reference(**case)) for case in cases]
    scalar = want[0][0].shape == ()
    single = one_number if scalar else one_array
    outcomes = attempt(function, cases, single if len(names) == 1 else several(names), kinds=kinds)
    given = [i for i, outcome in enumerate(outcomes) if outcome.error is None]
    used, want = [cases[i] for i in given], [want[i] for i in given]
    got = [outcomes[i].value for i in given]
    parts = [(name, [g[i] for g in got], [w[i] for w in want]) for i, name in enumerate(names)]
    with unchanged(outcomes):
        for (name, mine, right), wrong in zip(parts, mistakes, strict=True):
            _judge_shape(used, name, mine, right, wrong, shape)
        lines = []
        for (name, mine, right), wrong in zip(parts, mistakes, strict=True):
            found = wrong_values(used, mine, right, wrong)
            lines += found if name == "result" else [f"{name}: {line}" for line in found]
        if lines:
            raise Verdict(WRONG_VALUES, *lines, head="wrong values" if scalar else None)
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


def random_cases(seed: int, shapes: Iterable[Mapping[str, tuple[int, ...]]]) -> list[Case]:
    """Return a case for each table of names and shapes, all numbers between -0.9 and 0.9."""
    rng = np.random.default_rng(seed)
    return [{name: rng.uniform(-0.9, 0.9, each[name]) for name in each} for each in shapes]


def to_array(value: Any, name: str = "result", wanted: str = "an array of real numbers") -> Array:
    """Return a number, list, NumPy array or torch tensor, with or without a gradient, as float64.

    wanted: what is asked for, in words. Raises a Verdict naming what came instead.
    """
    try:
        array = _converted(value)
        if array.dtype.kind in "fiu":
            return array.astype(np.float64)
        real = array.dtype.kind != "c"
    except Exception:  # whatever the learner's value does
        real = True
    found = f"a value of type {type(value).__name__}" if real else "numbers that are not real"
    where = "It returned" if name == "result" else f"{name} is"
    raise Verdict(FAILED, f"{where} {found}; {wanted} is needed.")


def _converted(value: Any) -> Array:
    if isinstance(value, Tensor):
        value = value.detach()
        return (value.double() if value.is_floating_point() else value).numpy()
    if isinstance(value, (list, tuple)):
        return np.array([_converted(each) for each in value])
    return np.asarray(value)


def one_array(value: Any) -> Parts:
    """Receive one array."""
    return (to_array(value),)


def number(value: Any, name: str = "result") -> float:
    """Receive one number, in whatever it is wrapped."""
    array = to_array(value, name, "one real number")
    if array.size != 1:
        where = "It returned an array" if name == "result" else f"{name} is an array"
        raise Verdict(WRONG_SHAPE, f"{where} of shape {array.shape}; one number is needed.")
    return array.item()


def one_number(value: Any) -> Parts:
    """Receive one number as an array without axes."""
    return (np.array(number(value)),)


def several(names: Sequence[str]) -> Callable[[Any], Parts]:
    """Return a function that receives a tuple of that many arrays."""

    def receive(value: Any) -> Parts:
        wanted = f"({', '.join(names)})"
        if not isinstance(value, (list, tuple)):
            raise Verdict(WRONG_SHAPE, f"It returned one {type(value).__name__}; return {wanted}.")
        if len(value) != len(names):
            raise Verdict(WRONG_SHAPE, f"It returned {len(value)} things: return {wanted}.")
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


def _judge_shape(
    cases: Sequence[Case],
    name: str,
    got: Sequence[Array],
    want: Sequence[Array],
    mistakes: Mistakes,
    shape: str,
) -> None:
    """Raise a Verdict if the shape is wrong anywhere."""
    for case, mine, right in zip(cases, got, want, strict=True):
        if mine.shape == right.shape:
            continue
        subject = "The result" if name == "result" else name
        asked = f"{shape} = {right.shape}" if shape else right.shape
        seen = f"{subject} has shape {mine.shape} and should have {asked}."
        inputs = [f"The inputs had the shapes {shapes_of(case)}."] if shapes_of(case) else []
        raise Verdict(WRONG_SHAPE, seen, *(_named(cases, got, mistakes) or inputs))


def wrong_values(
    cases: Sequence[Case], got: Sequence[Array], want: Sequence[Array], mistakes: Mistakes
) -> list[str]:
    """Return what is wrong with results of the right shapes; [] if nothing is."""
    if all(map(close, got, want)):
        return []
    return _named(cases, got, mistakes) or [_observed(cases, got, want)]


def _named(cases: Sequence[Case], got: Sequence[Array], mistakes: Mistakes) -> list[str]:
    """What the first mistake says that gives, on every case, what the learner's gave."""
    tables = [mistakes(**case) for case in cases]
    for same_mistake in zip(*tables, strict=True):
        if all(_gives(wrong, mine) for (_, wrong), mine in zip(same_mistake, got, strict=True)):
            return [same_mistake[0][0]]
    return []


def _gives(wrong: Any, got: Array) -> bool:
    try:
        return close(got, np.asarray(wrong() if callable(wrong) else wrong, dtype=np.float64))
    except ValueError:  # shapes that do not fit together in this case
        return False


def _observed(cases: Sequence[Case], got: Sequence[Array], want: Sequence[Array]) -> str:
    """What can be said of a wrong result that is no known mistake."""
    mine, right = (np.concatenate([each.ravel() for each in side]) for side in (got, want))
    if not np.isfinite(mine).all():
        return "Your result holds inf or NaN, and every right value is finite."
    if not mine.any():
        return "Your result is zero everywhere."
    factor = float(mine @ right / (right @ right)) if right.any() else 0.0
    if close(mine, factor * right):
        return f"Your result is {factor:.4g} times as large as it should be, everywhere."
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
