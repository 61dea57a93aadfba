"""Lines, bars and dots: a quantity over another, over the steps of a training, over its parts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from helpers.figures.picture import (
    COLOURS,
    HATCHES,
    INK,
    MARKERS,
    PAPER,
    QUIET,
    SUBJECT,
    Picture,
    beside,
    canvas,
    finished,
    in_course_style,
    line_style,
    size,
)
from helpers.validation import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes


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
    Raises ValueError if a line and x differ in length.
    """
    figure, axes = canvas()
    labels = []
    for index, (name, (dots_x, dots_y)) in enumerate((dots or {}).items()):
        style = {**line_style(index), "linestyle": "none", "markersize": 8}
        axes.plot(dots_x, dots_y, label=name, **style)
    for index, (name, values) in enumerate(lines.items()):
        if np.shape(values) != np.shape(x):
            raise ValueError(f"line {name!r} has shape {np.shape(values)}, x has {np.shape(x)}")
        style = {**line_style(index), "markevery": max(1, len(x) // 12)}
        if dots is not None or len(lines) == 1:
            style["marker"] = "none"
        axes.plot(x, values, label=name, **style)
        labels.append((_last(np.asarray(values)), name, style["color"]))
    axes.set_yscale("log" if log_y else "linear")
    axes.set_xscale("log" if log_x else "linear")
    axes.margins(x=0.01)
    if level is not None:
        _level(axes, *level)
    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.set_ylim(axes.get_ylim())
    if dots is not None:
        axes.legend()
    elif len(lines) > 1:
        beside(figure, axes, labels)
    told = "; ".join(_ends(name, x, y, log_y) for name, y in lines.items())
    return finished(figure, title, f"{ylabel}, over {xlabel}", told)


def _last(values: Array) -> float:
    """The last finite value of a line."""
    return float(values[np.flatnonzero(np.isfinite(values))[-1]])


def _ends(name: str, x: Array, values: Array, log_y: bool) -> str:
    """A line's first and last finite values, in words."""
    ends = np.flatnonzero(np.isfinite(values))[[0, -1]]
    tell = size if log_y else "{:.2g}".format
    return f"{name}: " + ", ".join(f"{tell(values[i])} at {x[i]:g}" for i in ends)


def _level(axes: Axes, height: float, name: str) -> None:
    """Draw a named height as a thin line."""
    axes.axhline(height, color=INK, lw=1, ls=":")
    axes.annotate(
        name, (0.01, height), xycoords=("axes fraction", "data"), xytext=(0, 2),
        textcoords="offset points", ha="left", va="bottom", fontsize=9, color=QUIET,
        bbox={"facecolor": PAPER, "edgecolor": "none", "alpha": 0.8, "pad": 1},
    )  # fmt: skip


@in_course_style
def dots(
    rows: Mapping[str, Sequence[float]],
    *,
    title: str,
    xlabel: str,
    level: tuple[float, str] | None = None,
) -> Picture:
    """Draw one row of dots along x for each name, a dot a draw.

    level: a place on x and its name, such as a prediction.
    """
    figure, axes = canvas(height=1.7 + 0.5 * len(rows))
    for index, values in enumerate(rows.values()):
        heights = -index + np.resize([0.12, -0.12, 0.0], len(values))
        axes.plot(values, heights, "o", color=COLOURS[index % len(COLOURS)], ms=8, alpha=0.7)
    marked = ""
    if level is not None:
        place, name = level
        axes.axvline(place, color=INK, lw=1.6, ls=":")
        axes.text(place, 0.55, f" {name}", color=INK, fontsize=10, va="center")
        marked = f"{name}, at {place:.3g}"
    axes.set_yticks([-index for index in range(len(rows))], list(rows))
    axes.set(xlabel=xlabel, ylim=(-len(rows) + 0.5, 0.75))
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    told = [
        f"{name}: {len(values)} dots from {min(values):.3g} to {max(values):.3g}, median "
        f"{np.median(values):.3g}"
        for name, values in rows.items()
    ]
    return finished(figure, title, xlabel, "; ".join(told), marked)


@in_course_style
def shares(words: Sequence[str], parts: Mapping[str, Array], *, title: str) -> Picture:
    """Draw each word's share of a whole as a bar, a group of bars for each word.

    words: (steps,). parts: for each label (steps,) percentages.
    """
    figure, axes = canvas()
    width = 0.8 / len(parts)
    for index, (label, values) in enumerate(parts.items()):
        places = np.arange(len(words)) + (index - (len(parts) - 1) / 2) * width
        style = {"color": COLOURS[index % len(COLOURS)], "hatch": HATCHES[index % len(HATCHES)]}
        bars = axes.bar(places, values, width, label=label, edgecolor="white", **style)
        percent = [f"{value:.0f} %" if value >= 1 else f"{value:.1g} %" for value in values]
        axes.bar_label(bars, percent, padding=2, fontsize=9, color=style["color"])
    axes.set_xticks(range(len(words)), words)
    axes.set(ylabel="share of the gradient (%)", ylim=(0, 1.12 * max(map(max, parts.values()))))
    if len(parts) > 1:
        axes.legend(loc="upper left")
    axes.grid(visible=False, axis="x")
    told = "; ".join(
        f"{label}: " + ", ".join(f"{w} {v:.2g} %" for w, v in zip(words, values, strict=True))
        for label, values in parts.items()
    )
    return finished(figure, title, "Each word's share of the gradient", told)


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

    measures: for each panel's name its lines, (steps,) each; runs may differ in length. A
    value that is inf or NaN is a cross on the panel's upper edge. log_y: the panels with a
    logarithmic axis. level: a panel, a height in it and the height's name.
    alt_text: what the description says of the lines in place of their first and last values.
    Raises ValueError if log_y or level names no panel.
    """
    unknown = {*log_y, *(level or ())[:1]} - set(measures)
    if unknown:
        raise ValueError(
            f"no panel is named {min(map(str, unknown))!r}; there are {list(measures)}"
        )
    figure, rows = canvas(
        height=1.7 + 1.35 * len(measures), nrows=len(measures), sharex=True, squeeze=False
    )
    names = list(dict.fromkeys(name for lines in measures.values() for name in lines))
    told = []
    for axes, (panel, lines) in zip(rows[:, 0], measures.items(), strict=True):
        for name, line in lines.items():
            values = np.asarray(line, dtype=np.float64)
            x, finite = np.arange(1, len(values) + 1), np.isfinite(values)
            index = names.index(name)
            style = {**line_style(index), "markevery": max(1, len(values) // 12)}
            axes.plot(x, np.where(finite, values, np.nan), label=name, **style)
            if not finite.all():
                axes.plot(
                    x[~finite], np.ones((~finite).sum()), "X", color=style["color"],
                    markersize=15 - 3 * (index % 4), zorder=3 + index,
                    transform=axes.get_xaxis_transform(), clip_on=False,
                )  # fmt: skip
            if finite.any():
                told.append(f"{panel}, {_ends(name, x, values, panel in log_y)}")
        axes.set_ylabel(panel)
        axes.set_yscale("log" if panel in log_y else "linear")
        if level is not None and level[0] == panel:
            _level(axes, *level[1:])
    handles = {
        label: handle
        for axes in rows[:, 0]
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    if len(handles) > 1:
        figure.legend(handles.values(), handles, loc="outside lower center", ncols=4, fontsize=10)
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
    events: Mapping[str, float] | None = None,
) -> Picture:
    """Draw one training in three panels: signal at the subject, what the gate keeps, loss.

    steps, signal, gate, loss: (checks,). gate: z of the unit that keeps most, drawn as the
    steps 1 / (1 - z) for which it keeps. events: the step of each, marked in all panels.
    """
    figure, rows = canvas(height=6.0, nrows=3, sharex=True)
    kept = 1 / np.maximum(1 - np.asarray(gate), np.finfo(np.float32).eps)
    drawn = {
        "signal at\nthe subject": signal,
        "steps that the unit\nkeeps which keeps most": kept,
        "loss (nats)": loss,
    }
    for index, (axes, (name, values)) in enumerate(zip(rows, drawn.items(), strict=True)):
        axes.plot(steps, values, color=COLOURS[index], marker=MARKERS[index], markersize=4)
        axes.set_ylabel(name, fontsize=10)
        axes.set_yscale("linear" if values is loss else "log")
        for place in (events or {}).values():
            axes.axvline(place, color=SUBJECT, lw=1.3, ls="--")
    rows[2].set(xlabel="optimizer step", ylim=(0, None))
    for index, (event, place) in enumerate((events or {}).items()):
        row, y, side = (rows[2], 0.97, "top") if index else (rows[0], 0.05, "bottom")
        row.annotate(
            event, (place, y), xycoords=("data", "axes fraction"), xytext=(5, 0), va=side,
            textcoords="offset points", fontsize=10, weight="bold", color=SUBJECT,
        )  # fmt: skip
    told = "; ".join(f"{event} at step {place:g}" for event, place in (events or {}).items())
    ends = (f"{name}: from {size(v[0])} to {size(v[-1])}".replace("\n", " ")
            for name, v in drawn.items())  # fmt: skip
    return finished(figure, title, "; ".join(ends), told)
