"""Figures of the course: each function takes results and gives a Picture, ready to show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from helpers.figures.picture import (
    COLOURS,
    Picture,
    canvas,
    described,
    in_course_style,
    line_style,
    magnitude,
)
from helpers.validation import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@in_course_style
def strip(
    words: Sequence[str],
    signals: Mapping[str, Array],
    *,
    subject: int,
    title: str,
    floor: float | None = None,
    alt_text: str | None = None,
) -> Picture:
    """The course's picture: a sentence's words along x, log10 of the signal above each.

    words: (steps,). signals: for each line's label the norm of
    d(logit_was - logit_were)/dh_t, (steps,). subject: index of the subject noun.
    floor: smallest normal number of the dtype, drawn as a line. A signal that is
    exactly 0 has no logarithm: it stands as an open marker on the bottom edge.
    alt_text: what the description says of the lines in place of their orders of magnitude,
    for networks whose training ends elsewhere on another processor.
    Raises ValueError if a signal and the words differ in length.
    """
    for label, signal in signals.items():
        if np.shape(signal) != (len(words),):
            raise ValueError(
                f"signal {label!r} must have shape ({len(words)},), one entry a word; "
                f"got {np.shape(signal)}"
            )
    figure, axes = canvas(width=max(8.0, min(14.0, 0.45 * len(words))))
    positions = np.arange(len(words))
    positive = np.concatenate([np.asarray(s)[np.asarray(s) > 0] for s in signals.values()])
    bottom = np.floor(np.log10(positive.min())) - 1 if len(positive) else -1.0
    for index, (label, signal) in enumerate(signals.items()):
        values = np.asarray(signal, dtype=np.float64)
        style = {**line_style(index), "markevery": max(1, len(words) // 40)}
        alive = values > 0
        logs = np.log10(values, where=alive, out=np.full(len(values), np.nan))
        axes.plot(positions, logs, label=label, **style)
        axes.plot(
            positions[~alive],
            np.full((~alive).sum(), bottom),
            **{**style, "linestyle": "none", "markerfacecolor": "white"},
            clip_on=False,
        )
    _mark(axes, subject)
    axes.set_ylim(bottom=bottom)
    if floor is not None:
        axes.axhline(np.log10(floor), color="black", lw=1, ls=":")
        axes.text(
            len(words) / 2, np.log10(floor), "smallest normal number",
            ha="center", va="bottom", fontsize=9,
        )  # fmt: skip
    if len(words) <= 30:
        axes.set_xticks(positions, words, rotation=60, ha="right", fontsize=10)
        axes.get_xticklabels()[subject].set_fontweight("bold")
    else:
        axes.set_xticks([subject, len(words) - 1], [words[subject], words[-1]])
    axes.set_ylabel("$\\log_{10}$ signal")
    axes.set_title(title)
    if len(signals) > 1:
        axes.legend()
    alt_text = alt_text or "; ".join(
        f"{label}: {magnitude(signal[subject])} at the subject '{words[subject]}', "
        f"{magnitude(signal[-1])} at the last word '{words[-1]}'"
        for label, signal in signals.items()
    )
    return Picture(figure, f"{title}. Signal reaching each word, log scale. {alt_text}.")


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
    alt_text: str | None = None,
) -> Picture:
    """Lines over one x-axis, (points,) each, alt_text apart by colour, dash and marker.

    The description gives each line's first and last finite value: its order of
    magnitude on a logarithmic axis, two digits on a linear one.
    level: a height and its name, drawn as a thin line. dots: for each label an x and a
    y (points,), drawn as markers in the colour of the line of the same place.
    alt_text: what the description says of the lines in place of those values, as for `strip`.
    Raises ValueError if a line and x differ in length.
    """
    figure, axes = canvas()
    for index, (label, (dots_x, dots_y)) in enumerate((dots or {}).items()):
        style = {**line_style(index), "linestyle": "none", "markersize": 8}
        axes.plot(dots_x, dots_y, label=label, **style)
    for index, (label, values) in enumerate(lines.items()):
        if np.shape(values) != np.shape(x):
            raise ValueError(f"line {label!r} has shape {np.shape(values)}, x has {np.shape(x)}")
        style = {**line_style(index), "markevery": max(1, len(x) // 12)}
        if dots is not None:
            style["marker"] = "none"
        axes.plot(x, values, label=label, **style)
    if level is not None:
        axes.axhline(level[0], color="black", lw=1, ls=":")
        axes.annotate(
            level[1], (1, level[0]), xycoords=("axes fraction", "data"),
            ha="right", va="bottom", fontsize=9,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1},
        )  # fmt: skip
    axes.set_yscale("log" if log_y else "linear")
    axes.set_xscale("log" if log_x else "linear")
    axes.set(title=title, xlabel=xlabel, ylabel=ylabel)
    if len(lines) > 1:
        axes.legend()
    ends_told = []
    for label, values in lines.items():
        ends = np.flatnonzero(np.isfinite(values))[[0, -1]]
        tell = magnitude if log_y else "{:.2g}".format
        values_told = ", ".join(f"{tell(values[i])} at {x[i]:g}" for i in ends)
        ends_told.append(f"{label}: {values_told}")
    alt_text = alt_text or "; ".join(ends_told)
    return Picture(figure, described(title, f"{ylabel}, over {xlabel}. {alt_text}"))


@in_course_style
def over_words(
    words: Sequence[str],
    lines: Mapping[str, Array],
    *,
    title: str,
    ylabel: str,
    subject: int | None = None,
    alt_text: str | None = None,
) -> Picture:
    """Lines over the words of one sentence, (steps,) each, between 0 and 1.

    subject: index of a word to mark, as `strip` marks it.
    alt_text: what the description says of the lines in place of their values, as for `strip`.
    """
    figure, axes = canvas(width=max(8.0, 0.45 * len(words)), height=3)
    for index, (label, values) in enumerate(lines.items()):
        axes.plot(range(len(words)), values, label=label, **line_style(index))
    if subject is not None:
        _mark(axes, subject)
    slanted = {"rotation": 60, "ha": "right", "fontsize": 10} if len(words) > 10 else {}
    axes.set_xticks(range(len(words)), words, **slanted)
    axes.set(title=title, ylabel=ylabel, ylim=(-0.05, 1.05))
    if len(lines) > 1:
        axes.legend()
    alt_text = alt_text or "; ".join(
        f"{label}: "
        + ", ".join(f"{word} {value:.1f}" for word, value in zip(words, values, strict=True))
        for label, values in lines.items()
    )
    return Picture(figure, f"{title}. {ylabel} after each word. {alt_text}.")


def _mark(axes: Axes, word: int) -> None:
    """Shade one word's column."""
    axes.axvspan(word - 0.5, word + 0.5, color="#E69F00", alpha=0.25, lw=0)


@in_course_style
def unrolled(words: Sequence[str], *, verb: str) -> Picture:
    """The unrolled network over a sentence: one box a step, the path of the gradient below."""
    figure, axes = canvas(width=max(8.0, 1.3 * len(words)), height=2.8)
    axes.set_axis_off()
    axes.grid(visible=False)
    box = {"boxstyle": "round,pad=0.45", "facecolor": "white", "edgecolor": COLOURS[0], "lw": 2}
    forward = {"arrowstyle": "->", "color": COLOURS[0], "lw": 2}
    back = {"arrowstyle": "->", "color": COLOURS[1], "lw": 2, "ls": "--"}
    last = len(words) - 1
    for t, word in enumerate(words):
        axes.text(t, 1, f"$h_{{{t + 1}}}$", ha="center", va="center", bbox=box)
        axes.annotate("", (t, 0.72), (t, 0.3), arrowprops=forward)
        axes.text(t, 0.15, word, ha="center", va="center", fontsize=13)
        if t < last:
            axes.annotate("", (t + 0.75, 1.08), (t + 0.25, 1.08), arrowprops=forward)
            axes.text(t + 0.5, 1.18, "$W$", ha="center", color=COLOURS[0])
            axes.annotate("", (t + 0.25, 0.92), (t + 0.75, 0.92), arrowprops=back)
            axes.text(t + 0.5, 0.62, f"$J_{{{t + 2}}}^\\top$", ha="center", color=COLOURS[1])
    axes.annotate("", (last, 1.7), (last, 1.3), arrowprops=forward)
    axes.text(last, 1.82, verb, ha="center", fontsize=13)
    axes.set(xlim=(-0.5, last + 0.6), ylim=(0, 2))
    axes.set_title("Solid: the forward pass. Dashed: the gradient's way back, a factor a step")
    return Picture(
        figure,
        f"The network unrolled over '{' '.join(words)}': {len(words)} states in a row, joined by "
        f"the same W; '{verb}' is read from the last, and its gradient goes back through "
        f"{last} factors to the first.",
    )


@in_course_style
def runs_by_gap(
    results: Mapping[str, Mapping[int, Sequence[float]]], *, title: str, target: float = 0.95
) -> Picture:
    """Accuracy on fresh sentences against the gap trained at, a dot for each seed.

    results: for each label, gap -> accuracies of the seeds. Runs are all or nothing, so
    no mean and no band is drawn; the line joins the share of seeds that reached target.
    """
    figure, (above, below) = canvas(height=5, nrows=2, sharex=True, height_ratios=(2, 1))
    gaps = sorted({gap for by_gap in results.values() for gap in by_gap})
    for index, (label, by_gap) in enumerate(results.items()):
        style = line_style(index)
        shift = (index - (len(results) - 1) / 2) * 0.12
        for gap, accuracies in by_gap.items():
            spread = np.linspace(-0.04, 0.04, len(accuracies)) + shift + gaps.index(gap)
            above.plot(spread, accuracies, **{**style, "linestyle": "none"}, alpha=0.8)
        shares = [np.mean(np.array(by_gap[gap]) >= target) for gap in by_gap]
        below.plot([gaps.index(gap) for gap in by_gap], shares, label=label, **style)
    above.axhline(0.5, color="black", lw=1, ls=":")
    above.annotate(
        "guessing", (0, 0.5), xycoords=("axes fraction", "data"), va="bottom", fontsize=9
    )
    above.set(title=title, ylabel="accuracy, each seed", ylim=(0.35, 1.03))
    below.set(xlabel="gap (words between subject and verb)", ylabel="share learned")
    below.set(ylim=(-0.1, 1.1))
    below.set_xticks(range(len(gaps)), gaps)
    if len(results) > 1:
        below.legend(fontsize=9)
    seeds = max(len(a) for by_gap in results.values() for a in by_gap.values())
    return Picture(
        figure,
        f"{title}. Accuracy on fresh sentences at gaps {', '.join(map(str, gaps))}, one dot for "
        f"each of {seeds} seeds; below it the share of seeds that reached {target:.0%}.",
    )


@in_course_style
def shares(words: Sequence[str], parts: Mapping[str, Array], *, title: str) -> Picture:
    """Bars of each word's share (percent, log axis) in a whole, a group for each label.

    words: (steps,). parts: for each label (steps,) percentages above 0.
    """
    figure, axes = canvas()
    width = 0.8 / len(parts)
    positions = np.arange(len(words))
    for index, (label, values) in enumerate(parts.items()):
        axes.bar(
            positions + (index - (len(parts) - 1) / 2) * width,
            values,
            width,
            label=label,
            color=COLOURS[index % len(COLOURS)],
            hatch=("", "//", "..", "xx")[index % 4],
            edgecolor="white",
        )
    axes.set_yscale("log")
    axes.set_xticks(positions, words)
    axes.set(title=title, ylabel="share of the gradient (%)")
    axes.legend()
    first = "; ".join(f"{label}: {values[0]:.2g} %" for label, values in parts.items())
    return Picture(figure, f"{title}. Share of the first word '{words[0]}': {first}.")


@in_course_style
def behaviour_and_signal(
    words: Sequence[str], change: Array, signal: Array, *, subject: int, title: str
) -> Picture:
    """Two panels over one sentence: what flipping each noun does, and the signal it gets.

    words: (steps,). change: (steps,) absolute change of P(was) when the word is
    replaced by its other number, NaN where a word has none. signal: (steps,).
    """
    figure, (above, below) = canvas(
        width=max(8.0, min(14.0, 0.45 * len(words))), height=5, nrows=2, sharex=True
    )
    positions = np.arange(len(words))
    above.bar(positions, np.nan_to_num(change), color=COLOURS[0])
    above.set(title=title, ylabel="change of P(was)", ylim=(0, 1))
    alive = signal > 0
    below.plot(positions[alive], np.log10(signal[alive]), **line_style(1))
    below.set(ylabel="$\\log_{10}$ signal")
    for axes in (above, below):
        _mark(axes, subject)
    below.set_xticks(positions, words, rotation=60, ha="right", fontsize=10)
    below.get_xticklabels()[subject].set_fontweight("bold")
    return Picture(
        figure,
        f"{title}. Above: how far P(was) moves when a noun changes its number. Below: the "
        f"signal that reaches each word. The subject is '{words[subject]}'.",
    )
