"""Pictures of what a network holds: its states word by word, one unit's map, and the price."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from helpers.figures.picture import (
    COLOURS,
    INK,
    PAPER,
    QUIET,
    SUBJECT,
    Picture,
    canvas,
    finished,
    in_course_style,
)
from helpers.validation import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ON, STABLE = COLOURS[0], COLOURS[2]


@in_course_style
def trace(
    words: Sequence[str], states: Array, units: Sequence[str], *, subject: int, title: str
) -> Picture:
    """Draw each unit's state after each word, from -1 (paper) to +1 (full colour).

    words: (steps,). states: (steps, units). units: what each row is called.
    """
    from matplotlib.colors import LinearSegmentedColormap

    states = np.asarray(states)
    figure, axes = canvas(width=8, height=1.5 + 0.42 * len(units))
    axes.grid(visible=False)
    shade = LinearSegmentedColormap.from_list("state", [PAPER, ON])
    edges = {"edgecolors": QUIET, "linewidth": 0.6, "cmap": shade, "vmin": -1, "vmax": 1}
    axes.pcolormesh(states.T[::-1], **edges)
    places = np.arange(len(words)) + 0.5
    axes.set_xticks(places, words, rotation=60, ha="right", rotation_mode="anchor")
    axes.get_xticklabels()[subject].set(fontweight="bold", color=SUBJECT)
    axes.set_yticks(np.arange(len(units)) + 0.5, list(units)[::-1])
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    told = [_told(words, name, unit) for name, unit in zip(units, states.T, strict=True)]
    return finished(figure, title, *told)


def _told(words: Sequence[str], name: str, unit: Array) -> str:
    """What one unit does, in words."""
    on = np.flatnonzero(unit > 0)
    if not len(on):
        return f"{name}: off at every word"
    until = (
        "and stays on"
        if len(on) == len(words) - on[0]
        else f"for {len(on)} word{'s' * (len(on) > 1)}"
    )
    return f"{name}: on at word {on[0] + 1}, '{words[on[0]]}', {until}"


@in_course_style
def cobwebs(weights: Sequence[float], starts: Sequence[float], *, title: str) -> Picture:
    """Draw x -> tanh(w x) for each w, the steps from each start, and the fixed points.

    A filled dot is a fixed point that nearby states come to, an empty one that they leave.
    """
    figure, panels = canvas(width=8, height=3.7, ncols=len(weights), sharey=True)
    x = np.linspace(-1.1, 1.1, 201)
    told = []
    for axes, w in zip(panels, weights, strict=True):
        axes.plot(x, x, color=QUIET, lw=1)
        axes.plot(x, np.tanh(w * x), color=ON)
        for start in starts:
            _steps(axes, w, start)
        ends = _resting(w)
        axes.plot(ends, ends, "o", color=STABLE, ms=9, zorder=4)
        if w > 1:
            axes.plot(0, 0, "o", color=STABLE, ms=9, markerfacecolor=PAPER, zorder=4)
        axes.set(title=f"w = {w:g}", xlabel="h now", xlim=(-1.1, 1.1), ylim=(-1.1, 1.1))
        axes.set_aspect("equal")
        places = " and ".join(f"{end:.2f}" for end in ends)
        told.append(f"w = {w:g}: states come to rest at {places}")
    panels[0].set_ylabel("h one step later")
    return finished(figure, title, *told)


def _steps(axes: Axes, w: float, start: float, count: int = 12) -> None:
    """Draw the staircase that repeated steps make between the curve and the diagonal."""
    h, path = start, [(start, 0.0)]
    for _ in range(count):
        new = float(np.tanh(w * h))
        path += [(h, new), (new, new)]
        h = new
    axes.plot(*np.transpose(path), color=SUBJECT, lw=1.2)
    axes.plot(start, 0, "o", color=SUBJECT, ms=4)


def _resting(w: float) -> list[float]:
    """The stable fixed points of tanh(w x): 0, or a pair above w = 1."""
    if w <= 1:
        return [0.0]
    h = 1.0
    for _ in range(2000):
        h = float(np.tanh(w * h))
    return [-h, h]


@in_course_style
def trade_off(
    plain: Mapping[float, tuple[float, float]],
    others: Mapping[str, tuple[float, float]] | None = None,
    *,
    title: str,
) -> Picture:
    """Draw how much a unit holds against how much of the gradient it keeps, a dot a unit.

    plain: for each w of a plain unit the share of bits held (0 to 1) and log10 of what is
    left of the gradient. others: the same for other units, by name.
    """
    figure, axes = canvas(width=8, height=4.2)
    points = np.array(list(plain.values()))
    axes.plot(100 * points[:, 0], points[:, 1], "o-", color=COLOURS[0], ms=6)
    for w, (held, log10) in plain.items():
        side = {"ha": "right", "xytext": (-9, 0)} if held < 0.51 else {"xytext": (9, 5)}
        axes.annotate(
            f"w = {w:g}", (100 * held, log10), textcoords="offset points", va="center",
            fontsize=9.5, color=COLOURS[0], annotation_clip=False, **side,
        )  # fmt: skip
    for name, (held, log10) in (others or {}).items():
        axes.plot(100 * held, log10, "D", color=SUBJECT, ms=9, zorder=4)
        axes.annotate(
            name, (100 * held, log10), textcoords="offset points", xytext=(0, 12), ha="center",
            fontsize=10.5, weight="bold", color=SUBJECT, annotation_clip=False,
        )  # fmt: skip
    axes.set(xlim=(42, 108), ylim=(min(points[:, 1].min() * 1.08, -100), 90))
    axes.set_xticks(range(50, 101, 10), [f"{share} %" for share in range(50, 101, 10)])
    axes.axhline(0, color=INK, lw=0.8, ls=":")
    axes.text(43, 8, "the whole gradient", fontsize=9, color=QUIET)
    axes.set(xlabel="bits held", ylabel="gradient left, in powers of ten")
    everyone = {**{f"w = {w:g}": found for w, found in plain.items()}, **(others or {})}
    told = (f"{who}: {100 * held:.0f} % held, 10^{log10:.0f}"
            for who, (held, log10) in everyone.items())  # fmt: skip
    return finished(figure, title, "; ".join(told))
