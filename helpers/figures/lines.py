"""Lines, bars and dots: a quantity over another, over the steps of a training, over its parts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from helpers.figures.labels import beside, draw_level, legend_below
from helpers.figures.look import COLOURS, INK, MARKERS, SUBJECT, fill_style, line_style
from helpers.figures.picture import Picture, canvas, finished, in_course_style, size
from helpers.validation import Array


@in_course_style
def curves(
    x: Array,
    lines: Mapping[str, Array],
    *,
    title: str,
    xlabel: str,
    ylabel: str,
    log_y: bool = True,
    log_x: bool = False,
    level: tuple[float, str] | None = None,
    dots: Mapping[str, tuple[Array, Array]] | None = None,
) -> Picture:
    """Draw lines over one x-axis, each with its name at its right end.

    x, each line: (points,). level: a height and its name, drawn as a thin line. dots: for
    each label an x and a y (points,), drawn as markers in the colour of the line of the same
    place.
    """
    figure, axes = canvas()
    for index, (name, points) in enumerate((dots or {}).items()):
        style = {**line_style(index), "linestyle": "none", "markersize": 8}
        axes.plot(*points, label=name, **style)
    for index, (name, values) in enumerate(lines.items()):
        style = {**line_style(index), "markevery": max(1, len(x) // 12)}
        if dots or len(lines) == 1:
            style["marker"] = "none"
        axes.plot(x, values, label=name, **style)
    axes.margins(x=0.01)
    axes.set(xscale="log" if log_x else "linear", yscale="log" if log_y else "linear")
    if level:
        draw_level(axes, *level)
    axes.set(xlabel=xlabel, ylabel=ylabel, ylim=axes.get_ylim())
    if dots:
        axes.legend()
    elif len(lines) > 1:
        beside(axes)
    told = "; ".join(_ends(name, x, values, log_y) for name, values in lines.items())
    return finished(figure, title, f"{ylabel}, over {xlabel}", told)


def _ends(name: str, x: Array, values: Array, log_y: bool) -> str:
    """A line's first and last finite values, in words."""
    ends = np.flatnonzero(np.isfinite(values))[[0, -1]]
    tell = size if log_y else "{:.2g}".format
    return f"{name}: " + ", ".join(f"{tell(values[i])} at {x[i]:g}" for i in ends)


@in_course_style
def dots(
    rows: Mapping[str, Sequence[float]], *, title: str, xlabel: str, level: tuple[float, str]
) -> Picture:
    """Draw one row of dots along x for each name, a dot a draw.

    level: a place on x and its name, such as a prediction.
    """
    figure, axes = canvas(height=1.7 + 0.5 * len(rows))
    told = []
    for index, (name, values) in enumerate(rows.items()):
        heights = -index + np.resize([0.12, -0.12, 0.0], len(values))
        axes.plot(values, heights, "o", color=COLOURS[index], ms=8, alpha=0.7)
        median = f"median {np.median(values):.3g}"
        reach = f"from {min(values):.3g} to {max(values):.3g}"
        told.append(f"{name}: {len(values)} dots {reach}, {median}")
    place, what = level
    axes.axvline(place, color=INK, lw=1.6, ls=":")
    axes.text(place, 0.55, f" {what}", fontsize=10, va="center")
    axes.set_yticks([-index for index in range(len(rows))], rows)
    axes.set(xlabel=xlabel, ylim=(-len(rows) + 0.5, 0.75))
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    return finished(figure, title, xlabel, "; ".join(told), f"{what}, at {place:.3g}")


@in_course_style
def shares(words: Sequence[str], parts: Mapping[str, Array], *, title: str) -> Picture:
    """Draw each word's share of a whole as a bar, a group of bars for each word.

    words: (steps,). parts: for each label (steps,) percentages.
    """
    figure, axes = canvas()
    width = 0.8 / len(parts)
    told = []
    for index, (label, values) in enumerate(parts.items()):
        places = np.arange(len(words)) + (index - (len(parts) - 1) / 2) * width
        bars = axes.bar(places, values, width, label=label, **fill_style(index))
        percent = [f"{value:.0f} %" if value >= 1 else f"{value:.1g} %" for value in values]
        axes.bar_label(bars, percent, padding=2, fontsize=9, color=COLOURS[index])
        pairs = ", ".join(f"{w} {v:.2g} %" for w, v in zip(words, values, strict=True))
        told.append(f"{label}: {pairs}")
    axes.set_xticks(range(len(words)), words)
    axes.set(ylabel="share of the gradient (%)", ylim=(0, 1.12 * max(map(max, parts.values()))))
    axes.legend(loc="upper left")
    axes.grid(visible=False, axis="x")
    return finished(figure, title, "Each word's share of the gradient", "; ".join(told))


@in_course_style
def panels(
    measures: Mapping[str, Mapping[str, Array]],
    *,
    title: str,
    log_y: Collection[str] = (),
    level: tuple[str, float, str] | None = None,
    alt_text: str | None = None,
) -> Picture:
    """Draw lines over the steps 1, 2, ... of each run, in a panel for each measure.

    measures: for each panel's name the line of every run, (steps,) each; runs may differ in
    length. A value that is inf or NaN is a cross on the panel's upper edge. log_y: the panels
    with a logarithmic axis. level: a panel, a height in it and the height's name.
    alt_text: what the description says of the lines in place of their first and last values.
    """
    height = 1.7 + 1.35 * len(measures)
    figure, rows = canvas(height, nrows=len(measures), sharex=True, squeeze=False)
    told = []
    for axes, (panel, lines) in zip(rows[:, 0], measures.items(), strict=True):
        for index, (name, values) in enumerate(lines.items()):
            x, finite = np.arange(1, len(values) + 1), np.isfinite(values)
            style = {**line_style(index), "markevery": max(1, len(values) // 12)}
            axes.plot(x, np.where(finite, values, np.nan), label=name, **style)
            if not finite.all():
                crosses = {"markersize": 15 - 3 * (index % 4), "clip_on": False}
                crosses |= {"zorder": 3 + index, "transform": axes.get_xaxis_transform()}
                axes.plot(x, np.where(finite, np.nan, 1.0), "X", color=style["color"], **crosses)
            if finite.any():
                told.append(f"{panel}, {_ends(name, x, values, panel in log_y)}")
        axes.set(ylabel=panel, yscale="log" if panel in log_y else "linear")
        if level and level[0] == panel:
            draw_level(axes, *level[1:])
    legend_below(rows[0, 0])
    rows[-1, 0].set_xlabel("optimizer step")
    rows[-1, 0].xaxis.get_major_locator().set_params(integer=True)
    over = f"{', '.join(measures)}, over the optimizer step"
    return finished(figure, title, over, alt_text or "; ".join(told))


@in_course_style
def film(
    steps: Array,
    signal: Array,
    gate: Array,
    loss: Array,
    *,
    title: str,
    events: Mapping[str, float],
) -> Picture:
    """Draw one training in three panels: signal at the subject, what the gate keeps, loss.

    steps, signal, gate, loss: (checks,). gate: z of the unit that keeps most, drawn as the
    steps 1 / (1 - z) for which it keeps. events: the step of each of two, marked in all panels.
    """
    figure, rows = canvas(height=6.0, nrows=3, sharex=True)
    drawn = {
        "signal at\nthe subject": signal,
        "steps that the unit\nkeeps which keeps most": 1 / np.maximum(1 - gate, 1e-7),
        "loss (nats)": loss,
    }
    for index, (axes, (name, values)) in enumerate(zip(rows, drawn.items(), strict=True)):
        axes.plot(steps, values, color=COLOURS[index], marker=MARKERS[index], markersize=4)
        axes.set_ylabel(name, fontsize=10)
        axes.set_yscale("linear" if values is loss else "log")
        for step in events.values():
            axes.axvline(step, color=SUBJECT, lw=1.3, ls="--")
    rows[2].set(xlabel="optimizer step", ylim=(0, None))
    corners = ((rows[0], 0.05, "bottom"), (rows[2], 0.97, "top"))
    for (axes, y, side), (event, step) in zip(corners, events.items(), strict=True):
        axes.annotate(
            event, (step, y), (5, 0), xycoords=("data", "axes fraction"), va=side,
            textcoords="offset points", fontsize=10, weight="bold", color=SUBJECT,
        )  # fmt: skip
    told = "; ".join(f"{event} at step {step:g}" for event, step in events.items())
    ends = (f"{name}: from {size(v[0])} to {size(v[-1])}" for name, v in drawn.items())
    return finished(figure, title, "; ".join(ends).replace("\n", " "), told)
