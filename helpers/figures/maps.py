"""Maps: a quantity over two others as colour, with a theory's curve or the steps of a path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.figures.picture import COLOURS, DASHES, MARKERS, Picture, canvas, in_course_style
from helpers.validation import Array, finite_array, float_array, integer

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Points = tuple[Array, Array]
COLOUR_MAPS = {"one-sided": "cividis", "two-sided": "PuOr"}
NO_VALUE = "#999999"
FLOAT32_DECADES = 38.0  # float32 reaches from 10^-38 (normal numbers) to 10^38
LINE_COLOURS = (COLOURS[6], COLOURS[2], COLOURS[1], COLOURS[3])


@in_course_style
def heat_map(
    x: Array,
    y: Array,
    values: Array,
    *,
    title: str,
    xlabel: str,
    ylabel: str,
    zlabel: str,
    curves: Mapping[str, Points] | None = None,
    paths: Mapping[str, Points] | None = None,
    middle: float | None = None,
    limits: tuple[float, float] | None = None,
    alt_text: str | None = None,
) -> Picture:
    """A value over two axes as colour, with named lines on it.

    x: (columns,), y: (rows,), rising. values: (rows, columns), entry [i, j] at y[i], x[j];
    NaN and inf are drawn grey. curves: for each label x and y (points,) of a line.
    paths: the same for the places of a journey, one marker each, a large one at the start;
    what lies outside the map is cut off. middle: the value that is drawn white, with one
    colour below and another above (None: one scale of brightness). limits: values of the
    ends of the colour scale (None: the smallest and largest); what lies beyond has the
    end's colour. alt_text: what the description says in place of the smallest and largest value.
    Raises ValueError if shapes do not fit, x or y does not rise, no value is finite, or
    middle does not lie within the limits.
    """
    figure, axes = canvas(width=8, height=4.8)
    grid = draw_map(axes, x, y, values, zlabel=zlabel, middle=middle, limits=limits)
    draw_lines(axes, curves or {}, paths or {})
    axes.set(title=title, xlabel=xlabel, ylabel=ylabel)
    if alt_text is None:
        finite = np.where(np.isfinite(grid), grid, np.nan)
        alt_text = "; ".join(
            f"{kind} {finite.flat[at]:.2g} at {np.ravel(x)[at % len(x)]:.2g}, "
            f"{np.ravel(y)[at // len(x)]:.2g}"
            for kind, at in (("smallest", np.nanargmin(finite)), ("largest", np.nanargmax(finite)))
        )
    lines = [f"a line: {name}" for name in curves or {}] + [
        f"a path: {name}" for name in paths or {}
    ]
    alt_text = "; ".join([alt_text, *lines])
    return Picture(figure, f"{title}. Colour: {zlabel}, over {xlabel} and {ylabel}. {alt_text}.")


def draw_map(
    axes: Axes,
    x: Array,
    y: Array,
    values: Array,
    *,
    zlabel: str,
    middle: float | None = None,
    limits: tuple[float, float] | None = None,
) -> Array:
    """Draw `heat_map`'s colours and their scale on axes; returns values, checked."""
    from matplotlib import colormaps, colors

    across, up = _rising("x", x), _rising("y", y)
    grid = float_array("values", values, (len(up), len(across)))
    finite = np.isfinite(grid)
    if not finite.any():
        raise ValueError("values must hold at least one finite number; got none")
    low, high = limits or (float(grid[finite].min()), float(grid[finite].max()))
    if middle is None:
        scale: Any = colors.Normalize(low, high)
    elif low < middle < high:
        scale = colors.TwoSlopeNorm(middle, low, high)
    else:
        raise ValueError(f"middle must lie between the limits {low:g} and {high:g}; got {middle:g}")
    palette = COLOUR_MAPS["one-sided" if middle is None else "two-sided"]
    mesh = axes.pcolormesh(
        across,
        up,
        np.ma.array(grid, mask=~finite),
        norm=scale,
        cmap=colormaps[palette].with_extremes(bad=NO_VALUE),
        shading="nearest",
    )
    axes.set_facecolor(NO_VALUE)
    axes.grid(False)
    ends = (bool((grid[finite] < low).any()), bool((grid[finite] > high).any()))
    extend = {(0, 0): "neither", (1, 0): "min", (0, 1): "max", (1, 1): "both"}[ends]
    axes.figure.colorbar(mesh, ax=axes, label=zlabel, extend=extend)
    return grid


def draw_lines(axes: Axes, curves: Mapping[str, Points], paths: Mapping[str, Points]) -> None:
    """Draw `heat_map`'s curves and paths on axes, which keep the limits they have."""
    bounds = axes.get_xlim(), axes.get_ylim()
    for index, (name, points) in enumerate((*curves.items(), *paths.items())):
        px, py = (float_array(f"line {name!r}, {axis}", part, ("points",))
                  for axis, part in zip("xy", points, strict=True))  # fmt: skip
        colour = LINE_COLOURS[index % len(LINE_COLOURS)]
        style = {"color": colour, "linestyle": DASHES[index % len(DASHES)], "label": name}
        if index >= len(curves):
            style |= {"marker": MARKERS[index % len(MARKERS)], "markersize": 4, "linewidth": 1}
            axes.plot(px[:1], py[:1], "o", color=colour, markersize=11, markeredgecolor="white")
        axes.plot(px, py, **style)
    axes.set(xlim=bounds[0], ylim=bounds[1])
    if curves or paths:
        axes.legend(loc="upper left", frameon=True, framealpha=0.9, fontsize=10)


def _rising(name: str, values: Array) -> Array:
    array = finite_array(name, values, ("points",))
    if len(array) < 2 or (np.diff(array) <= 0).any():
        raise ValueError(f"{name} must hold at least two numbers, rising; got {array}")
    return array


@in_course_style
def growth_map(
    gains: Array,
    input_stds: Array,
    factors: Array,
    border: Points,
    *,
    gain: float,
    steps: int,
) -> Picture:
    """What a factor per step comes to over many steps, against float32's range.

    gains: (columns,), input_stds: (rows,), rising; factors: (rows, columns), above 0, per
    step. border: gains and input_stds where the factor is 1. Left: log10 factors^steps as
    colour, its scale ending where float32 does. Right: the same at one gain, one of gains,
    with the whole range beyond float32 shaded.
    Raises ValueError if shapes do not fit, gain is not among gains or steps is below 1.
    """
    integer("steps", steps, minimum=1)
    if gain not in gains:
        raise ValueError(f"gain must be one of {np.asarray(gains).tolist()}; got {gain!r}")
    figure, (left, right) = canvas(width=11, height=4.6, ncols=2, sharey=True)
    logs = steps * np.log10(finite_array("factors", factors, ("rows", "columns")))
    scale = {"middle": 0.0, "limits": (-FLOAT32_DECADES, FLOAT32_DECADES)}
    draw_map(left, gains, input_stds, logs, zlabel="$\\log_{10}$ of the growth", **scale)
    at_gain = np.array([gain, gain]), np.array([input_stds[0], input_stds[-1]])
    draw_lines(left, {"theory: factor 1": border, f"gain {gain:g}": at_gain}, {})
    left.set(title=f"{steps} steps", xlabel="gain g", ylabel="input std s")
    growth = logs[:, list(gains).index(gain)]
    right.plot(growth, input_stds, color=COLOURS[0], marker="o", markersize=4)
    reach = max(1.2 * FLOAT32_DECADES, np.abs(growth).max())
    for edge, word in ((-1, "below float32"), (1, "above float32")):
        right.axvspan(*sorted((edge * FLOAT32_DECADES, edge * 9 * reach)), color="0.85", lw=0)
        right.text(
            edge * 1.06 * FLOAT32_DECADES, input_stds[-1], word, rotation=90, fontsize=9,
            ha="right" if edge < 0 else "left", va="top",
        )  # fmt: skip
    right.axvline(0, color="black", lw=1, ls=":")
    right.set(title=f"{steps} steps at gain {gain:g}", xlabel="$\\log_{10}$ of the growth")
    right.set_xlim(-1.1 * reach, 1.1 * reach)
    ends = ", ".join(f"10^{growth[at]:.0f} at input std {input_stds[at]:g}" for at in (0, -1))
    return Picture(
        figure,
        f"What {steps} steps do to a gradient. Left: growth over gain and input std, with the "
        f"theory's border. Right: at gain {gain:g} it grows by {ends}.",
    )
