"""Maps: a quantity over two others as colour, with a theory's curve or the steps of a path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.figures.picture import (
    COLOURS,
    DASHES,
    INK,
    MARKERS,
    PAPER,
    QUIET,
    SUBJECT,
    VERB,
    Picture,
    canvas,
    finished,
    in_course_style,
)
from helpers.validation import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from helpers.measure.cliff import Descent

Points = tuple[Array, Array]
Place = tuple[float, float]
NO_VALUE = "#999999"
FLOAT32_DECADES = 38.0  # float32 reaches from 10^-38 (normal numbers) to 10^38
LINE_COLOURS = (INK, SUBJECT, COLOURS[2], COLOURS[3])
VALLEY = 0.05  # errors below it lie in the cliff's valley, the two plateaus are at 0.09 and 0.49


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
    marks: Mapping[str, Place] | None = None,
    sides: Mapping[str, Place] | None = None,
    middle: float | None = None,
    alt_text: str | None = None,
) -> Picture:
    """Draw a value over two axes as colour.

    x: (columns,), y: (rows,), rising. values: (rows, columns), entry [i, j] at y[i], x[j];
    NaN and inf are grey. curves: by name, x and y (points,) of a line. marks: by name, the
    place of a dot. sides: by name, the place of a word such as "vanishes". middle: the value
    that is white, with one colour below and another above.
    alt_text: what the description says in place of the smallest and largest value.
    """
    from matplotlib.patheffects import withStroke

    figure, axes = canvas(height=4.6)
    draw_map(axes, x, y, values, zlabel=zlabel, middle=middle)
    draw_lines(axes, curves or {}, {})
    halo = {"path_effects": [withStroke(linewidth=3, foreground=PAPER)]}
    for name, place in (sides or {}).items():
        axes.text(*place, name, fontsize=15, style="italic", ha="center", va="center", **halo)
    for name, place in (marks or {}).items():
        axes.plot(*place, "o", color=INK, markersize=9, markeredgecolor="white", mew=1.5)
        axes.annotate(name, place, (9, 9), textcoords="offset points", fontsize=10, weight="bold",
                      **halo)  # fmt: skip
    axes.set(xlabel=xlabel, ylabel=ylabel)
    if alt_text is None:
        finite = np.where(np.isfinite(values), values, np.nan)
        alt_text = "; ".join(
            f"{kind} {finite.flat[at]:.2g} at {np.ravel(x)[at % len(x)]:.2g}, "
            f"{np.ravel(y)[at // len(x)]:.2g}"
            for kind, at in (("smallest", np.nanargmin(finite)), ("largest", np.nanargmax(finite)))
        )
    named = [f"a line: {name}" for name in curves or {}]
    named += [f"{name} at {place[0]:.2g}, {place[1]:.2g}" for name, place in (marks or {}).items()]
    over = f"Colour: {zlabel}, over {xlabel} and {ylabel}"
    return finished(figure, title, over, alt_text, *named)


def draw_map(
    axes: Axes,
    x: Array,
    y: Array,
    values: Array,
    *,
    zlabel: str,
    middle: float | None = None,
    limits: tuple[float, float] | None = None,
) -> None:
    """Draw `heat_map`'s colours and their scale on axes."""
    from matplotlib import colormaps, colors

    grid = np.asarray(values, dtype=np.float64)
    finite = np.isfinite(grid)
    low, high = limits or (float(grid[finite].min()), float(grid[finite].max()))
    scale: Any = colors.Normalize(low, high)
    if middle is not None:
        scale = colors.TwoSlopeNorm(middle, low, high)
    palette = colormaps["PuOr_r"]
    if middle is None:  # light, for paths to be seen on it
        palette = colors.LinearSegmentedColormap.from_list("light", [PAPER, "#8FB7D6"])
    mesh = axes.pcolormesh(
        x, y, np.ma.array(grid, mask=~finite), norm=scale,
        cmap=palette.with_extremes(bad=NO_VALUE), shading="nearest", rasterized=True,
    )  # fmt: skip
    axes.set_facecolor(NO_VALUE)
    axes.grid(visible=False)
    ends = (bool((grid[finite] < low).any()), bool((grid[finite] > high).any()))
    extend = {(0, 0): "neither", (1, 0): "min", (0, 1): "max", (1, 1): "both"}[ends]
    axes.figure.colorbar(mesh, ax=axes, label=zlabel, extend=extend, pad=0.02)


def draw_lines(axes: Axes, curves: Mapping[str, Points], paths: Mapping[str, Points]) -> None:
    """Draw named curves, and paths with a marker at each step, within the axes' limits."""
    bounds = axes.get_xlim(), axes.get_ylim()
    for index, (name, (px, py)) in enumerate((*curves.items(), *paths.items())):
        colour = LINE_COLOURS[index % len(LINE_COLOURS)]
        style: dict[str, Any] = {
            "color": colour,
            "linestyle": DASHES[index % len(DASHES)],
            "label": name,
        }
        if name in paths:
            style |= {"marker": MARKERS[index % len(MARKERS)], "markersize": 4, "linewidth": 1}
            axes.plot(px[:1], py[:1], "o", color=colour, markersize=11, markeredgecolor="white")
        axes.plot(px, py, **style)
    axes.set(xlim=bounds[0], ylim=bounds[1])
    if curves or paths:
        axes.legend(loc="upper right", frameon=True, framealpha=0.9, fontsize=9)


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
    """Draw what a factor per step comes to over many steps, against float32's range.

    gains: (columns,), input_stds: (rows,), rising; factors: (rows, columns), above 0, per
    step. border: gains and input_stds where the factor is 1. Left: log10 factors^steps as
    colour, its scale ending where float32 does. Right: the same at one gain, one of gains.
    Raises ValueError if gain is not among gains or steps is below 1.
    """
    if gain not in gains or steps < 1:
        raise ValueError(
            f"gain must be one of {np.asarray(gains).tolist()} and steps at least 1; "
            f"got {gain!r} and {steps!r}"
        )
    figure, (left, right) = canvas(height=3.9, ncols=2, sharey=True, width_ratios=(5, 3))
    logs = steps * np.log10(factors)
    scale: dict[str, Any] = {"middle": 0.0, "limits": (-FLOAT32_DECADES, FLOAT32_DECADES)}
    draw_map(left, gains, input_stds, logs, zlabel="growth, in powers of ten", **scale)
    draw_lines(left, {"factor 1": border}, {})
    left.axvline(gain, color=SUBJECT, lw=2, ls="--")
    left.set(xlabel="gain g", ylabel="input std s")
    left.set_title(f"{steps:,} steps")
    growth = logs[:, list(gains).index(gain)]
    right.plot(growth, input_stds, color=SUBJECT, marker="o", markersize=4)
    reach = 3 * FLOAT32_DECADES
    for edge, word in ((-1, "rounds to 0"), (1, "overflows")):
        right.axvspan(*sorted((edge * FLOAT32_DECADES, edge * 9 * reach)), color="0.85", lw=0)
        right.text(edge * 2 * FLOAT32_DECADES, 0.04, word, rotation=90, fontsize=10, color=QUIET,
                   ha="center", va="bottom", transform=right.get_xaxis_transform())  # fmt: skip
    right.axvline(0, color=INK, lw=1, ls=":")
    right.set(xlabel="growth, in powers of ten", xlim=(-reach, reach))
    right.set_title(f"at gain {gain:g}, in float32", color=SUBJECT)
    ends = ", ".join(f"10^{growth[at]:.0f} at input std {input_stds[at]:g}" for at in (0, -1))
    return Picture(
        figure,
        f"What {steps:,} steps do to a gradient. Left: growth over gain and input std, with the "
        f"theory's border. Right: at gain {gain:g} it grows by {ends}.",
    )


@in_course_style
def descents(
    w: Array, b: Array, errors: Array, paths: Mapping[str, Descent], *, title: str = ""
) -> Picture:
    """Draw descents on the error surface, and the error along each.

    w: (columns,), b: (rows,), rising; errors: (rows, columns). paths: by label. The
    description says of each where it ends, without its numbers: they hang on the last bit of
    rounding, which the cliff enlarges.
    """
    figure, (left, right) = canvas(height=4.0, ncols=2, width_ratios=(3, 2))
    draw_map(left, w, b, errors, zlabel="error E")
    draw_lines(
        left, {}, {name: (path.points[:, 0], path.points[:, 1]) for name, path in paths.items()}
    )
    left.set(xlabel="w", ylabel="b")
    left.set_title("the way in the plane", fontsize=11)
    for index, (name, path) in enumerate(paths.items()):
        style = {"color": LINE_COLOURS[index % len(LINE_COLOURS)], "linestyle": DASHES[index]}
        right.plot(path.errors, label=name, **style)
    right.set(xlabel="step", ylabel="error E", ylim=(0, 0.55))
    right.set_title("the error along it", fontsize=11)
    told = (
        f"{name}: {_inside(path, w, b)} the map, ends "
        f"{'in the valley' if path.errors[-1] < VALLEY else 'on a plateau'}"
        for name, path in paths.items()
    )
    about = (
        "Gradient descent on the error of one recurrent unit over w and b. Left: two plateaus "
        "meet in a wall; the paths on it. Right: the error after each step"
    )
    return finished(figure, title, about, "; ".join(told))


def _inside(path: Descent, w: Array, b: Array) -> str:
    low, high = np.array([w[0], b[0]]), np.array([w[-1], b[-1]])
    stays = ((path.points >= low) & (path.points <= high)).all()
    return "stays on" if stays else "leaves"


@in_course_style
def cliff_cut(b: Array, errors: Array, *, title: str, at: str = "") -> Picture:
    """Draw a cut through the error surface, E over b, with the wall that descent meets.

    b, errors: (points,). at: what is held, such as "w = 6".
    """
    figure, axes = canvas(height=3.4)
    axes.fill_between(b, errors, color=VERB, alpha=0.12, lw=0)
    axes.plot(b, errors, color=VERB)
    steepest = int(np.abs(np.diff(errors)).argmax())
    height = float(np.abs(errors[steepest + 1] - errors[steepest]))
    axes.set(xlabel=f"b, at {at}" if at else "b", ylabel="error E", ylim=(0, 1.2 * max(errors)))
    wall = f"E jumps by {height:.2g} at b = {b[steepest]:.2g}"
    return finished(figure, title, f"The error over b. {wall}")
