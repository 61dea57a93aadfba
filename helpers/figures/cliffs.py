"""Figures about clipping: descents on the cliff, arrows, and success against the threshold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from helpers.figures.maps import LINE_COLOURS, draw_lines, draw_map
from helpers.figures.picture import COLOURS, DASHES, Picture, canvas, in_course_style, line_style
from helpers.measure.cliff import Descent
from helpers.validation import Array, finite_array

VALLEY = 0.05  # errors below it lie in the valley, the two plateaus are at 0.09 and 0.49


@in_course_style
def descents(w: Array, b: Array, errors: Array, paths: Mapping[str, Descent]) -> Picture:
    """Descents on the error surface, and the error along each.

    w: (columns,), b: (rows,), rising; errors: (rows, columns). paths: by label. The
    description says of each where it ends; its numbers hang on the last bit of rounding,
    which the cliff enlarges, so they are not alt_text.
    Raises ValueError if shapes do not fit.
    """
    figure, (left, right) = canvas(width=11, height=4.4, ncols=2, width_ratios=(3, 2))
    draw_map(left, w, b, errors, zlabel="error E")
    points = {name: (path.points[:, 0], path.points[:, 1]) for name, path in paths.items()}
    draw_lines(left, {}, points)
    left.get_legend().set(loc="upper right")
    left.set(title="The way in the plane", xlabel="w", ylabel="b")
    for index, path in enumerate(paths.values()):
        style = {"color": LINE_COLOURS[index % len(LINE_COLOURS)], "linestyle": DASHES[index]}
        right.plot(path.errors, **style)
    right.set(title="The error along the way", xlabel="step", ylabel="error E", ylim=(0, None))
    alt_text = "; ".join(
        f"{name}: {_inside(path, w, b)} the map, ends "
        f"{'in the valley' if path.errors[-1] < VALLEY else 'on a plateau'}"
        for name, path in paths.items()
    )
    return Picture(
        figure,
        "Gradient descent on the error of one recurrent unit over w and b. Left: two plateaus "
        f"meet in a wall; the paths on it. Right: the error after each step. {alt_text}.",
    )


def _inside(path: Descent, w: Array, b: Array) -> str:
    low, high = np.array([w[0], b[0]]), np.array([w[-1], b[-1]])
    stays = ((path.points >= low) & (path.points <= high)).all()
    return "stays on" if stays else "leaves"


@in_course_style
def arrows(
    gradient: Array, clipped: Mapping[str, Array], *, threshold: float, title: str
) -> Picture:
    """A gradient of two entries, what rules made of it, and the threshold as ball and box.

    gradient: (2,); clipped: by label (2,). Raises ValueError if one has another shape.
    """
    named = {"gradient": gradient, **clipped}
    vectors = {name: finite_array(name, vector, (2,)) for name, vector in named.items()}
    figure, axes = canvas(width=7.0, height=3.6)
    angle = np.linspace(0, 2 * np.pi, 200)
    edge = {"color": "0.6", "lw": 1}
    axes.plot(threshold * np.cos(angle), threshold * np.sin(angle), **edge, ls="--")
    box = threshold * np.array([-1, 1, 1, -1, -1]), threshold * np.array([-1, -1, 1, 1, -1])
    axes.plot(*box, **edge)
    for index, (name, vector) in enumerate(vectors.items()):
        colour = COLOURS[(index - 1) % len(COLOURS)] if index else "0.45"
        arrow = {"arrowstyle": "-|>", "color": colour, "lw": 2.5, "shrinkA": 0, "shrinkB": 0}
        axes.annotate("", vector, (0, 0), arrowprops=arrow)
        below = {"va": "top"} if index == 1 else {}
        offset = (6, -4 if index == 1 else 4)
        axes.annotate(
            name, vector, offset, textcoords="offset points", color=colour, fontsize=11, **below
        )
    reach = max(np.abs(vector).max() for vector in vectors.values())
    low = -1.15 * threshold
    axes.set(
        xlim=(low, 1.3 * reach), ylim=(low, max(1.4 * threshold, 1.2 * vectors["gradient"][1]))
    )
    axes.set_aspect("equal")
    axes.set(title=title, xlabel="first entry", ylabel="second entry")
    alt_text = "; ".join(
        f"{name}: ({vector[0]:.2g}, {vector[1]:.2g})" for name, vector in vectors.items()
    )
    return Picture(figure, f"{title}. Arrows from the origin, threshold {threshold:g}. {alt_text}.")


@in_course_style
def runs_by_threshold(
    results: Mapping[str, Mapping[float | None, Sequence[float]]], *, title: str
) -> Picture:
    """Accuracy on fresh sentences against the clip threshold, a dot for each seed.

    results: for each label, threshold (None: no clipping) -> accuracies of the seeds. The
    thresholds stand in the order of their first appearance, evenly spaced. No mean is
    drawn, since runs are all or nothing.
    """
    figure, axes = canvas(height=4.2)
    thresholds = list(dict.fromkeys(c for by_threshold in results.values() for c in by_threshold))
    for index, (label, by_threshold) in enumerate(results.items()):
        style = {**line_style(index), "linestyle": "none", "markersize": 7}
        shift = (index - (len(results) - 1) / 2) * 0.18
        places = [
            (thresholds.index(c) + shift + spread, accuracy)
            for c, runs in by_threshold.items()
            for spread, accuracy in zip(np.linspace(-0.05, 0.05, len(runs)), runs, strict=True)
        ]
        axes.plot(*np.transpose(places), label=label, **style, alpha=0.8)
    axes.axhline(0.5, color="black", lw=1, ls=":")
    axes.annotate("guessing", (0, 0.5), xycoords=("axes fraction", "data"), va="bottom", fontsize=9)
    names = ["none" if c is None else f"{c:g}" for c in thresholds]
    axes.set_xticks(range(len(thresholds)), names)
    axes.set(title=title, xlabel="clip threshold c", ylabel="accuracy, each seed")
    axes.set(ylim=(0.35, 1.03), xlim=(-0.5, len(thresholds) - 0.5))
    figure.legend(loc="outside lower center", ncols=len(results))
    return Picture(
        figure,
        f"{title}. Accuracy on fresh sentences at clip thresholds {', '.join(names)}, one dot a "
        f"seed, for {', '.join(results)}.",
    )
