"""Figures over the words of one sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from helpers.figures.ink import share_at, what_is_left
from helpers.figures.labels import legend_below
from helpers.figures.look import COLOURS, QUIET, SUBJECT, VERB, Axes, fill_style, line_style
from helpers.figures.picture import Picture, canvas, finished, in_course_style
from helpers.validation import Array


def _name_words(axes: Axes, words: Sequence[str], colours: Mapping[int, str]) -> None:
    """Name the words below the axes, some of them in a colour."""
    slant = {"rotation": 55, "ha": "right", "rotation_mode": "anchor"}
    axes.set_xticks(range(len(words)), words, fontsize=10, **slant)
    for place, colour in colours.items():
        axes.get_xticklabels()[place].set(fontweight="bold", color=colour)
    axes.grid(visible=False, axis="x")


def _shade(axes: Axes, word: int) -> None:
    axes.axvspan(word - 0.5, word + 0.5, color=SUBJECT, alpha=0.12, lw=0)


@in_course_style
def over_words(
    words: Sequence[str], lines: Mapping[str, Array], *, title: str, ylabel: str, subject: int
) -> Picture:
    """Draw lines between 0 and 1 over the words of one sentence, the subject marked.

    words, each line: (steps,).
    """
    figure, axes = canvas(height=3.2)
    told = []
    for index, (name, values) in enumerate(lines.items()):
        axes.plot(values, **line_style(index))
        pairs = ", ".join(f"{w} {v:.1f}" for w, v in zip(words, values, strict=True))
        told.append(f"{name}: {pairs}")
    _name_words(axes, words, {subject: SUBJECT})
    _shade(axes, subject)
    axes.set(ylabel=ylabel, ylim=(-0.05, 1.05), xlim=(-0.5, len(words) - 0.5))
    return finished(figure, title, f"{ylabel} after each word", "; ".join(told))


@in_course_style
def behaviour_and_signal(
    words: Sequence[str], change: Array, signal: Array, *, subject: int, title: str, verb: str
) -> Picture:
    """Draw what flipping each noun does above the signal that each word gets.

    words: (steps,). change: (steps,) absolute change of P(was) when the word is replaced
    by its other number, 0 where a word has none. signal: (steps,), above 0.
    """
    figure, (above, below) = canvas(height=4.8, nrows=2, sharex=True)
    above.bar(range(len(words)), change, color=COLOURS[0], width=0.6)
    above.set(ylabel="change of P(was)\nif it is flipped", ylim=(0, 1))
    above.grid(visible=False, axis="x")
    below.plot(signal, **line_style(1))
    low, high = np.floor(np.log10(min(signal))), np.ceil(np.log10(max(signal)))
    below.set(ylabel="signal", yscale="log", ylim=(10 ** (low - 0.1), 10 ** (high + 0.1)))
    below.minorticks_off()
    _name_words(below, [*words, verb], {subject: SUBJECT, len(words): VERB})
    for axes in (above, below):
        _shade(axes, subject)
        axes.set_xlim(-0.5, len(words) + 0.5)
    moved = ", ".join(f"{w} {by:.2f}" for w, by in zip(words, change, strict=True) if by > 0)
    left = what_is_left(share_at(signal, subject))
    flipped = f"Above: how far P(was) moves when a noun is flipped: {moved}"
    at_subject = f"Below: the signal at each word; at the subject '{words[subject]}': {left}"
    return finished(figure, title, flipped, at_subject)


@in_course_style
def stacked(
    words: Sequence[str], panels: Mapping[str, Mapping[str, Array]], *, title: str, ylabel: str
) -> Picture:
    """Draw the parts of a whole stacked over the words, one panel for each of several networks.

    words: (steps,). panels: for each network its parts, (steps,) each, above 0.
    """
    height = 2.0 * len(panels) + 1.4
    figure, rows = canvas(height, nrows=len(panels), sharex=True, sharey=True)
    told = []
    for axes, (name, parts) in zip(rows, panels.items(), strict=True):
        bottom: Any = 0.0
        for index, (part, values) in enumerate(parts.items()):
            place = {"bottom": bottom, "width": 0.85, "lw": 0.5}
            axes.bar(range(len(words)), values, label=part, **place, **fill_style(index))
            bottom = bottom + values
        axes.set_title(name, fontsize=11, weight="normal", color=QUIET, pad=4)
        axes.set_ylabel(ylabel)
        axes.grid(visible=False, axis="x")
        means = ", ".join(f"{part} {np.mean(values):.2f}" for part, values in parts.items())
        told.append(f"{name}, mean over the words: {means}")
    _name_words(rows[-1], words, {})
    legend_below(rows[0])
    return finished(figure, title, f"{ylabel}, stacked over the words", *told)
