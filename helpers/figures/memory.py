"""Pictures of what a network holds: its states word by word, one unit's map, and the price."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from helpers.figures.look import COLOURS, INK, PAPER, QUIET, SUBJECT
from helpers.figures.picture import Picture, canvas, finished, in_course_style
from helpers.validation import Array

ON, STABLE = COLOURS[0], COLOURS[2]


@in_course_style
def trace(
    words: Sequence[str], states: Array, units: Sequence[str], *, subject: int, title: str
) -> Picture:
    """Draw each unit's state after each word, from -1 (paper) to +1 (full colour).

    words: (steps,). states: (steps, units). units: what each row is called.
    """
    from matplotlib.colors import LinearSegmentedColormap

    figure, axes = canvas(height=1.5 + 0.42 * len(units))
    axes.grid(visible=False)
    shade = LinearSegmentedColormap.from_list("state", [PAPER, ON])
    edges = {"edgecolors": QUIET, "linewidth": 0.6, "cmap": shade, "vmin": -1, "vmax": 1}
    axes.pcolormesh(states.T, **edges)
    places = np.arange(len(words)) + 0.5
    axes.set_xticks(places, words, rotation=60, ha="right", rotation_mode="anchor")
    axes.get_xticklabels()[subject].set(fontweight="bold", color=SUBJECT)
    axes.set_yticks(np.arange(len(units)) + 0.5, units)
    axes.invert_yaxis()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    told = []
    for name, unit in zip(units, states.T, strict=True):
        on = np.flatnonzero(unit > 0)
        if len(on):
            stays = len(on) == len(words) - on[0]
            until = "and stays on" if stays else f"for {len(on)} word{'s' * (len(on) > 1)}"
            told.append(f"{name}: on at word {on[0] + 1}, '{words[on[0]]}', {until}")
        else:
            told.append(f"{name}: off at every word")
    return finished(figure, title, *told)


@in_course_style
def cobwebs(weights: Sequence[float], starts: Sequence[float], *, title: str) -> Picture:
    """Draw x -> tanh(w x) for each w, the steps from each start, and the fixed points.

    A filled dot is a fixed point that nearby states come to, an empty one that they leave.
    """
    figure, panels = canvas(height=3.7, ncols=len(weights), sharey=True)
    x = np.linspace(-1.1, 1.1, 201)
    told = []
    for axes, w in zip(panels, weights, strict=True):
        axes.plot(x, x, color=QUIET, lw=1)
        axes.plot(x, np.tanh(w * x), color=ON)
        for start in starts:
            h = np.repeat(_states(w, start, 12), 2)  # a staircase from the diagonal to the curve
            axes.plot(h[:-1], [0.0, *h[2:]], color=SUBJECT, lw=1.2)
            axes.plot(start, 0, "o", color=SUBJECT, ms=4)
        rest = _states(w, 1.0, 2000)[-1]
        ends = [-rest, rest] if w > 1 else [0.0]
        axes.plot(ends, ends, "o", color=STABLE, ms=9, zorder=4)
        if w > 1:
            axes.plot(0, 0, "o", color=STABLE, ms=9, markerfacecolor=PAPER, zorder=4)
        axes.set(title=f"w = {w:g}", xlabel="h now", xlim=(-1.1, 1.1), ylim=(-1.1, 1.1))
        axes.set_aspect("equal")
        places = " and ".join(f"{end:.2f}" for end in ends)
        told.append(f"w = {w:g}: states come to rest at {places}")
    panels[0].set_ylabel("h one step later")
    return finished(figure, title, *told)


def _states(w: float, start: float, steps: int) -> list[float]:
    """The states that repeated steps give, the start first."""
    states = [start]
    for _ in range(steps):
        states.append(float(np.tanh(w * states[-1])))
    return states


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
    figure, axes = canvas(height=4.2)
    named = {f"w = {w:g}": unit for w, unit in plain.items()}
    held, left = np.transpose(list(plain.values()))
    axes.plot(100 * held, left, "o-", color=COLOURS[0], ms=6)
    style = {"textcoords": "offset points", "annotation_clip": False}
    for name, (share, log10) in named.items():
        side = {"ha": "right", "xytext": (-9, 0)} if share < 0.51 else {"xytext": (9, 5)}
        text = {"va": "center", "fontsize": 9.5, "color": COLOURS[0], **side, **style}
        axes.annotate(name, (100 * share, log10), **text)
    style |= {"ha": "center", "fontsize": 10.5, "weight": "bold", "color": SUBJECT}
    for name, (share, log10) in (others or {}).items():
        axes.plot(100 * share, log10, "D", color=SUBJECT, ms=9, zorder=4)
        axes.annotate(name, (100 * share, log10), (0, 12), **style)
    axes.set(xlim=(42, 108), ylim=(min(left.min() * 1.08, -100), 90))
    axes.set_xticks(range(50, 101, 10), [f"{share} %" for share in range(50, 101, 10)])
    axes.axhline(0, color=INK, lw=0.8, ls=":")
    axes.text(43, 8, "the whole gradient", fontsize=9, color=QUIET)
    axes.set(xlabel="bits held", ylabel="gradient left, in powers of ten")
    units = {**named, **(others or {})}.items()
    told = (f"{name}: {100 * share:.0f} % held, 10^{log10:.0f}" for name, (share, log10) in units)
    return finished(figure, title, "; ".join(told))
