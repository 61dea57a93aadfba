"""Maps: a quantity over two others as colour, with a theory's curve or the steps of a path."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.figures.look import DASHES, INK, MARKERS, PAPER, QUIET, SUBJECT, VERB, Axes
from helpers.figures.picture import WIDTH, Picture, canvas, card, finished, in_course_style
from helpers.measure.mean_field import critical_curve, theory_map
from helpers.validation import Array

if TYPE_CHECKING:
    from helpers.measure.cliff import Descent

Points = tuple[Array, Array]
Place = tuple[float, float]
FLOAT32_DECADES = 38.0  # float32 reaches from 10^-38 (normal numbers) to 10^38
LEGEND: Any = {"loc": "upper right", "frameon": True, "framealpha": 0.9, "fontsize": 9}
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
    curves: Mapping[str, Points],
    marks: Mapping[str, Place],
    sides: Mapping[str, Place],
    middle: float,
) -> Picture:
    """Draw a value over two axes as colour.

    x: (columns,), y: (rows,), rising. values: (rows, columns), entry [i, j] at y[i], x[j].
    curves: by name, x and y (points,) of a line. marks: by name, the place of a dot. sides:
    by name, the place of a word such as "vanishes". middle: the value that is white, with
    one colour below and another above.
    """
    from matplotlib.patheffects import withStroke

    figure, axes = canvas(height=4.6)
    _colour(axes, x, y, values, middle=middle, label=zlabel, ax=axes, pad=0.02)
    for name, points in curves.items():
        _border(axes, name, points)
    halo = {"path_effects": [withStroke(linewidth=3, foreground=PAPER)]}
    for name, place in sides.items():
        axes.text(*place, name, fontsize=15, style="italic", ha="center", va="center", **halo)
    for name, place in marks.items():
        axes.plot(*place, "o", color=INK, markersize=9, markeredgecolor="white", mew=1.5)
        style = {"fontsize": 10, "weight": "bold", **halo}
        axes.annotate(name, place, (9, 9), textcoords="offset points", **style)
    axes.set(xlabel=xlabel, ylabel=ylabel)
    told = "; ".join(
        f"{kind} {values[row, column]:.2g} at {x[column]:.2g}, {y[row]:.2g}"
        for kind, at in (("smallest", values.argmin()), ("largest", values.argmax()))
        for row, column in [np.unravel_index(at, values.shape)]
    )
    named = [f"a line: {name}" for name in curves]
    named += [f"{name} at {place[0]:.2g}, {place[1]:.2g}" for name, place in marks.items()]
    over = f"Colour: {zlabel}, over {xlabel} and {ylabel}"
    return finished(figure, title, over, told, *named)


def _colour(
    axes: Axes,
    x: Array,
    y: Array,
    values: Array,
    *,
    middle: float,
    limits: tuple[float, float] | None = None,
    **bar: Any,
) -> None:
    """Draw values as colour, white at the middle, and their scale where bar says."""
    from matplotlib.colors import TwoSlopeNorm

    norm = TwoSlopeNorm(middle, *(limits or (values.min(), values.max())))
    mesh = axes.pcolormesh(x, y, values, norm=norm, cmap="PuOr_r", shading="nearest")
    axes.grid(visible=False)
    axes.figure.colorbar(mesh, **bar)


def _border(axes: Axes, name: str, points: Points) -> None:
    """Draw a named curve within the axes' limits."""
    limits = axes.axis()
    axes.plot(*points, color=INK, label=name)
    axes.axis(limits)
    axes.legend(**LEGEND)


def _map_and_side(height: float, top: float = 0.9) -> list[Any]:
    """Return a card and its axes for a map, for its scale and for what stands beside it.

    Their places are given, since a layout that is computed takes as long as the drawing.
    """
    figure, low = card(WIDTH, height), 0.148
    columns = ((0.095, 0.43), (0.54, 0.018), (0.712, 0.27))
    return [figure, *(figure.add_axes((x, low, wide, top - low)) for x, wide in columns)]


@functools.cache
def _theory() -> tuple[Array, Array, Array, Points]:
    """Gains, input stds, the factor per step at each (rows are stds), and where it is 1."""
    gains, input_stds = np.arange(1, 17) / 4, np.arange(11) / 4
    border = critical_curve(np.linspace(0, input_stds[-1], 51))
    return gains, input_stds, theory_map(gains, input_stds), border


@in_course_style
def phase_at(gain: float, steps: int) -> Picture:
    """Draw how a gradient has grown after so many steps, against float32's range, by the theory.

    gain: a quarter to 4, in quarters. Left: over gain and input, on a scale that ends where
    float32 does. Right: the same at this gain.
    """
    gains, input_stds, factors, border = _theory()
    logs = steps * np.log10(factors)
    figure, left, scale, right = _map_and_side(3.9)
    ends = (-FLOAT32_DECADES, FLOAT32_DECADES)
    bar = {"limits": ends, "cax": scale, "extend": "both", "label": "growth, in powers of ten"}
    _colour(left, gains, input_stds, logs, middle=0.0, **bar)
    _border(left, "factor 1", border)
    left.axvline(gain, color=SUBJECT, lw=2, ls="--")
    left.set(xlabel="gain g", ylabel="input std s", title=f"{steps:,} steps")
    growth = logs[:, list(gains).index(gain)]
    right.plot(growth, input_stds, color=SUBJECT, marker="o", markersize=4)
    reach = 3 * FLOAT32_DECADES
    style = {"rotation": 90, "fontsize": 10, "color": QUIET, "ha": "center"}
    for edge, word in zip(ends, ("rounds to 0", "overflows"), strict=True):
        right.axvspan(edge, 3 * edge, color="0.85", lw=0)
        right.text(2 * edge, 0.04, word, transform=right.get_xaxis_transform(), **style)
    right.axvline(0, color=INK, lw=1, ls=":")
    right.set(xlabel="growth, in powers of ten", xlim=(-reach, reach), ylim=left.get_ylim())
    right.tick_params(labelleft=False)
    right.set_title(f"at gain {gain:g}, in float32", color=SUBJECT)
    by = ", ".join(f"10^{growth[at]:.0f} at input std {input_stds[at]:g}" for at in (0, -1))
    return Picture(
        figure,
        f"What {steps:,} steps do to a gradient. Left: growth over gain and input std, with the "
        f"theory's border. Right: at gain {gain:g} it grows by {by}.",
    )


@in_course_style
def descents(
    w: Array, b: Array, errors: Array, paths: Mapping[str, Descent], *, title: str = ""
) -> Picture:
    """Draw two descents on the error surface, and the error along each.

    w: (columns,), b: (rows,), rising; errors: (rows, columns). paths: by label. The
    description says of each where it ends, without its numbers: they hang on the last bit of
    rounding, which the cliff enlarges.
    """
    from matplotlib.colors import LinearSegmentedColormap

    figure, left, scale, right = _map_and_side(4.0, top=0.8 if title else 0.9)
    light = LinearSegmentedColormap.from_list("light", [PAPER, "#8FB7D6"])  # paths are seen on it
    figure.colorbar(left.pcolormesh(w, b, errors, cmap=light), label="error E", cax=scale)
    left.grid(visible=False)
    limits = left.axis()
    told = []
    for index, (name, path) in enumerate(paths.items()):
        style = {"color": (INK, SUBJECT)[index], "linestyle": DASHES[index]}
        left.plot(*path.points[0], "o", color=style["color"], ms=11, markeredgecolor="white")
        left.plot(*path.points.T, label=name, marker=MARKERS[index], ms=4, lw=1, **style)
        right.plot(path.errors, **style)
        low, high = (w[0], b[0]), (w[-1], b[-1])
        stays = ((path.points >= low) & (path.points <= high)).all()
        end = "in the valley" if path.errors[-1] < VALLEY else "on a plateau"
        told.append(f"{name}: {'stays on' if stays else 'leaves'} the map, ends {end}")
    left.axis(limits)
    left.legend(**LEGEND)
    left.set(xlabel="w", ylabel="b")
    left.set_title("the way in the plane", fontsize=11)
    right.set(xlabel="step", ylabel="error E", ylim=(0, 0.55))
    right.set_title("the error along it", fontsize=11)
    about = (
        "Gradient descent on the error of one recurrent unit over w and b. Left: two plateaus "
        "meet in a wall; the paths on it. Right: the error after each step"
    )
    return finished(figure, title, about, "; ".join(told))


@in_course_style
def cliff_cut(b: Array, errors: Array, *, title: str, at: str) -> Picture:
    """Draw a cut through the error surface, E over b, with the wall that descent meets.

    b, errors: (points,). at: what is held, such as "w = 6".
    """
    figure, axes = canvas(height=3.4)
    axes.fill_between(b, errors, color=VERB, alpha=0.12, lw=0)
    axes.plot(b, errors, color=VERB)
    jumps = np.abs(np.diff(errors))
    axes.set(xlabel=f"b, at {at}", ylabel="error E", ylim=(0, 1.2 * max(errors)))
    wall = f"E jumps by {jumps.max():.2g} at b = {b[jumps.argmax()]:.2g}"
    return finished(figure, title, f"The error over b. {wall}")
