"""Names where a figure shows what they name, or below it."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np

from helpers.figures.look import INK, PAPER, QUIET, Axes
from helpers.figures.picture import raised


def draw_level(axes: Axes, height: float, name: str) -> None:
    """Draw a named height as a thin line across axes."""
    axes.axhline(height, color=INK, lw=1, ls=":")
    box = {"facecolor": PAPER, "edgecolor": "none", "alpha": 0.8, "pad": 1}
    place = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points", "va": "bottom"}
    axes.annotate(name, (0.01, height), (0, 2), fontsize=9, color=QUIET, bbox=box, **place)


def legend_below(axes: Axes) -> None:
    """Write what these axes name below all of the figure's."""
    named = axes.get_legend_handles_labels()
    if len(named[0]) > 1:
        axes.figure.legend(*named, loc="outside lower center", ncols=4, fontsize=10)


def beside(axes: Axes) -> None:
    """Write the labels of a figure's one axes at the lines' right ends, moved apart if they meet.

    The axes' limits must be set.
    """
    points, tall = 9.5, axes.figure.get_figheight() - 1.2  # of the letters; inches, about
    to_axes = axes.transData + axes.transAxes.inverted()
    placed, edge = [], 0.0
    for line in sorted(axes.get_legend_handles_labels()[0], key=_end):
        name = line.get_label()
        text = name if "\n" in name else textwrap.fill(name, 22)
        needs = points / 72 * 1.25 * (text.count("\n") + 1) / tall
        at = max(to_axes.transform((axes.get_xlim()[0], _end(line)))[1], edge + needs / 2)
        edge = at + needs / 2
        placed.append((at, needs, raised(text), line.get_color()))
    edge = 1.05
    style = {"transform": axes.transAxes, "va": "center", "linespacing": 1.1}
    for at, needs, text, colour in reversed(placed):  # and down again from the top
        at = min(at, edge - needs / 2)
        edge = at - needs / 2
        axes.text(1.015, at, text, color=colour, fontsize=points, **style)


def _end(line: Any) -> float:
    """The last finite height of a line."""
    heights = np.asarray(line.get_ydata(), dtype=np.float64)
    return float(heights[np.isfinite(heights)][-1])
