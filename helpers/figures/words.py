"""Figures over the words of one sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.figures.ink import share_at, what_is_left
from helpers.figures.picture import (
    COLOURS,
    HATCHES,
    QUIET,
    SUBJECT,
    VERB,
    Picture,
    beside,
    canvas,
    finished,
    in_course_style,
    line_style,
)
from helpers.validation import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAMED = 60  # words; of a longer sentence only the subject and the verb are named


def _powers(axes: Axes) -> None:
    """Name whole powers of ten along y, whose values are logarithms."""
    from matplotlib.ticker import MaxNLocator

    axes.yaxis.set_major_locator(MaxNLocator(7, integer=True, min_n_ticks=1))
    axes.yaxis.set_major_formatter(lambda y, _: f"$10^{{{y:.0f}}}$")


def _name_words(axes: Axes, words: Sequence[str], subject: int | None, verb: str = "") -> None:
    """Name the words below the axes, the subject and the verb in their colours."""
    shown = [*words, verb] if verb else list(words)
    places = np.arange(len(shown))
    if len(shown) > NAMED:
        places = np.array([subject or 0, len(shown) - 1])
    small = len(places) > 30
    slant: dict[str, Any] = {"rotation": 90 if small else 55, "ha": "center" if small else "right"}
    if len(places) <= 10:
        slant = {}
    axes.set_xticks(places, [shown[t] for t in places], fontsize=8 if small else 10, **slant)
    for place, label in zip(places, axes.get_xticklabels(), strict=True):
        label.set_rotation_mode("anchor" if slant and not small else None)
        if place == subject:
            label.set(fontweight="bold", color=SUBJECT)
        elif verb and place == len(words):
            label.set(fontweight="bold", color=VERB)
    axes.grid(visible=False, axis="x")
    if subject is not None:
        axes.axvspan(subject - 0.5, subject + 0.5, color=SUBJECT, alpha=0.12, lw=0)


@in_course_style
def over_words(
    words: Sequence[str],
    lines: Mapping[str, Array],
    *,
    title: str,
    ylabel: str,
    subject: int | None = None,
) -> Picture:
    """Draw lines between 0 and 1 over the words of one sentence.

    words, each line: (steps,). subject: index of a word to mark.
    """
    figure, axes = canvas(height=3.2)
    labels = []
    for index, (name, values) in enumerate(lines.items()):
        style = line_style(index)
        axes.plot(values, label=name, **style)
        labels.append((float(values[-1]), name, style["color"]))
    _name_words(axes, words, subject)
    axes.set(ylabel=ylabel, ylim=(-0.05, 1.05), xlim=(-0.5, len(words) - 0.5))
    if len(lines) > 1:
        beside(figure, axes, labels)
    told = "; ".join(
        f"{name}: " + ", ".join(f"{w} {v:.1f}" for w, v in zip(words, values, strict=True))
        for name, values in lines.items()
    )
    return finished(figure, title, f"{ylabel} after each word", told)


@in_course_style
def behaviour_and_signal(
    words: Sequence[str], change: Array, signal: Array, *, subject: int, title: str, verb: str = ""
) -> Picture:
    """Draw what flipping each noun does above the signal that each word gets.

    words: (steps,). change: (steps,) absolute change of P(was) when the word is replaced
    by its other number, 0 or NaN where a word has none. signal: (steps,).
    """
    figure, (above, below) = canvas(height=4.8, nrows=2, sharex=True)
    above.bar(np.arange(len(words)), np.nan_to_num(change), color=COLOURS[0], width=0.6)
    above.set(ylabel="change of P(was)\nif it is flipped", ylim=(0, 1))
    alive = np.asarray(signal) > 0
    logs = np.log10(signal[alive])
    below.plot(np.flatnonzero(alive), logs, **line_style(1))
    below.set_ylim(np.floor(logs.min()) - 0.1, np.ceil(logs.max()) + 0.1)
    _powers(below)
    below.set_ylabel("signal")
    _name_words(below, words, subject, verb)
    above.axvspan(subject - 0.5, subject + 0.5, color=SUBJECT, alpha=0.12, lw=0)
    above.grid(visible=False, axis="x")
    pairs = zip(words, change, strict=True)
    moved = ", ".join(f"{word} {by:.2f}" for word, by in pairs if by > 0)
    left = what_is_left(share_at(signal, subject))
    return finished(
        figure, title, f"Above: how far P(was) moves when a noun is flipped: {moved}",
        f"Below: the signal at each word; at the subject '{words[subject]}': {left}",
    )  # fmt: skip


@in_course_style
def stacked(
    words: Sequence[str], panels: Mapping[str, Mapping[str, Array]], *, title: str, ylabel: str
) -> Picture:
    """Draw the parts of a whole stacked over the words, one panel for each network.

    words: (steps,). panels: for each network its parts, (steps,) each, above 0.
    """
    figure, rows = canvas(
        height=2.0 * len(panels) + 1.4, nrows=len(panels), sharex=True, sharey=True, squeeze=False
    )
    told = []
    for axes, (name, parts) in zip(rows[:, 0], panels.items(), strict=True):
        bottom = np.zeros(len(words))
        for index, (part, values) in enumerate(parts.items()):
            style = {"color": COLOURS[index], "hatch": HATCHES[index % len(HATCHES)]}
            axes.bar(np.arange(len(words)), values, 0.85, bottom, label=part, edgecolor="white",
                     lw=0.5, **style)  # fmt: skip
            bottom = bottom + values
        axes.set_title(name, fontsize=11, weight="normal", color=QUIET, pad=4)
        axes.set_ylabel(ylabel)
        axes.grid(visible=False, axis="x")
        means = ", ".join(f"{part} {np.mean(values):.2f}" for part, values in parts.items())
        told.append(f"{name}, mean over the words: {means}")
    _name_words(rows[-1, 0], words, None)
    handles, names = rows[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=4, fontsize=10)
    return finished(figure, title, f"{ylabel}, stacked over the words", *told)
