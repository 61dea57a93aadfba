"""The picture of the course: a sentence whose ink fades with the signal."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from helpers.figures.look import BACKWARD, INK, PAPER, QUIET, SUBJECT, VERB, Axes
from helpers.figures.picture import (
    WIDTH,
    Picture,
    board,
    described,
    headline,
    in_course_style,
    raised,
)
from helpers.validation import Array

PALE = 0.2  # the least ink: a word stays legible
DECADES = 9.0  # from black to palest: a billionth
LARGEST = 1.25  # to which the sentence is scaled at most
LONGEST, BEFORE_CUT, AFTER_CUT = 60, 8, 14  # words drawn in full; kept of a longer sentence
MARGIN = 0.32  # inches, as all lengths here
SIZE, LINE, SPACE = 18, 0.37, 0.075  # of a word in points, from line to line, between words
HEAD, BACK, BELOW = 0.34, 0.3, 0.22  # a row's heading, the arrow below the first, below each
FRACTIONS = {
    1: "all of it", 2 / 3: "two thirds", 1 / 2: "half", 1 / 3: "a third", 1 / 4: "a quarter",
    1 / 5: "a fifth", 1 / 10: "a tenth",
}  # fmt: skip
UNITS = ((1e9, " billion"), (1e6, " million"), (1.0, ""))


def what_is_left(ratio: float) -> str:
    """Say how much of a signal is left: "about a third", "1 part in 360 million".

    ratio: the signal at a word over the signal at the last word, 0 or more.
    """
    if not np.isfinite(ratio):
        return "beyond the largest float"
    if ratio == 0:
        return "0, rounded away"
    if ratio > 1.3:
        return f"{_number(math.log10(ratio))} times as much"
    if ratio > 0.08:
        nearest = min(FRACTIONS, key=lambda part: abs(math.log(ratio / part)))
        return f"about {FRACTIONS[nearest]}"
    return f"1 part in {_number(-math.log10(ratio))}"


def _number(log10: float) -> str:
    """A number above 1 in two digits: "4,500", "2.4 million", "10^271"."""
    if log10 >= 12:
        return f"10^{log10:.0f}"
    value = float(f"{10**log10:.1e}")
    size, name = next(unit for unit in UNITS if value >= unit[0])
    value /= size
    return f"{value:,.0f}{name}" if value >= 10 else f"{value:.2g}{name}"


@in_course_style
def ink(
    words: Sequence[str],
    signals: Mapping[str, Array],
    *,
    subject: int,
    verb: str,
    title: str,
    reached: int | None = None,
) -> Picture:
    """Draw the sentence once for each network, its ink fading with the signal.

    words: (steps,), without the verb. signals: for each network's name the norm of
    d(logit_was - logit_were)/dh_t, (steps,), as measure.signal gives it. subject: index of
    the subject noun. A word is black where as much arrives as at the last word, and pale
    where a billionth does or less; each row says in words what is left at the subject. Of
    more than LONGEST words those in the middle are left out, and counted.
    reached: in a film the word to which the signal has come back; the words before it are
    pale yet, and each row says what is left there instead.
    Raises ValueError if a signal and the words differ in length.
    """
    for name, signal in signals.items():
        if np.shape(signal) != (len(words),):
            raise ValueError(
                f"signal {name!r} must have shape ({len(words)},), one entry a word; "
                f"got {np.shape(signal)}"
            )
    marks, scale = _laid_out(words, subject, verb)
    deep = LINE * scale * (marks[-1].line + 1)
    above = 0.62 + 0.2 * headline(title).count("\n")
    row = HEAD + deep + BELOW
    height = above + row * len(signals) + BACK + 0.34
    figure, axes = board(WIDTH, height)
    axes.set_ylim(-height, 0)
    axes.text(MARGIN, -0.26, headline(title), fontsize=12.5, weight="bold", va="top")
    at = subject if reached is None else reached
    colour = SUBJECT if at == subject else INK
    left = {name: what_is_left(share_at(signal, at)) for name, signal in signals.items()}
    for index, (name, signal) in enumerate(signals.items()):
        top = -above - row * index - BACK * (index > 0)
        axes.text(MARGIN, top - 0.12, name, fontsize=10.5, color=QUIET, va="center")
        said = {"color": colour, "fontsize": 11.5, "weight": "bold", "ha": "right", "va": "center"}
        axes.text(WIDTH - MARGIN, top - 0.12, raised(f"{words[at]}: {left[name]}"), **said)
        seen = np.where(np.arange(len(words)) >= (reached or 0), signal, 0.0)
        _write(axes, marks, scale, _inks(seen), top - HEAD, subject)
    _arrow(axes, marks[-1], -above - HEAD - deep)
    _key(axes, 0.26 - height)
    told = "; ".join(f"{name}: {what}" for name, what in left.items())
    read = " ".join(mark.text for mark in marks).replace(" ,", ",")
    seen_at = f"Left at the {'subject ' * (at == subject)}'{words[at]}': {told}"
    fading = f"The sentence '{read}', its ink fading with the signal that reaches each word"
    return Picture(figure, described(title, f"{fading} from the verb. {seen_at}"))


def share_at(signal: Array, word: int) -> float:
    """Return the signal at a word over the signal at the last one."""
    return float(signal[word]) / float(signal[-1]) if signal[-1] > 0 else 0.0


def _inks(signal: Array) -> Array:
    """How much ink each word gets, from PALE to 1."""
    with np.errstate(divide="ignore", invalid="ignore"):
        decades = np.nan_to_num(-np.log10(signal / signal[-1]), nan=DECADES, posinf=DECADES)
    return 1 - (1 - PALE) * np.clip(decades / DECADES, 0, 1)


def _inked(colour: str, amount: float) -> tuple[float, ...]:
    """A colour thinned with paper."""
    from matplotlib.colors import to_rgb

    paper, full = np.array(to_rgb(PAPER)), np.array(to_rgb(colour))
    return tuple(paper + amount * (full - paper))


class Mark(NamedTuple):
    """One piece of the sentence as it is drawn: its text, its word's index, its place in inches."""

    text: str
    word: int | None
    x: float
    line: int
    width: float


def _laid_out(words: Sequence[str], subject: int, verb: str) -> tuple[list[Mark], float]:
    """Break a sentence into as few lines as it needs, all of one length; also their scale."""
    pieces: list[tuple[str, int | None]] = [(word, t) for t, word in enumerate(words)]
    if len(words) > LONGEST:
        start, stop = subject + BEFORE_CUT, len(words) - AFTER_CUT
        pieces[start:stop] = [(f"… {stop - start:,} words …", None)]
    pieces[0] = (words[0].capitalize(), 0)
    pieces.append((verb, len(words)))
    widths = [_width(text, bold=word in (subject, len(words))) for text, word in pieces]
    together: list[list[int]] = []  # pieces between which no line ends: a comma and its word
    for at, (text, _) in enumerate(pieces):
        if text in ",.;":
            together[-1].append(at)
        else:
            together.append([at])
    needs = [sum(widths[at] for at in group) for group in together]
    room = WIDTH - 2 * MARGIN
    lines = _broken(needs, room)
    for narrower in np.arange(room, room / 2, -0.1):
        if len(tried := _broken(needs, narrower)) > len(lines):
            break
        lines = tried
    lengths = [sum(needs[group] for group in line) + SPACE * (len(line) - 1) for line in lines]
    scale = min(room / max(lengths), LARGEST)
    marks = []
    for number, (line, length) in enumerate(zip(lines, lengths, strict=True)):
        space = SPACE + (max(lengths) - length) / max(1, len(line) - 1)
        x = 0.0
        for group in line:
            for at in together[group]:
                place = MARGIN + x * scale
                marks.append(Mark(*pieces[at], place, number, widths[at] * scale))
                x += widths[at]
            x += space
    return marks, scale


def _broken(needs: Sequence[float], room: float) -> list[list[int]]:
    """Group indices of needs (inches) in lines that fit into the room."""
    lines: list[list[int]] = [[]]
    x = 0.0
    for at, width in enumerate(needs):
        if x + width > room:
            lines.append([])
            x = 0.0
        lines[-1].append(at)
        x += width + SPACE
    return lines


def _font(bold: bool, scale: float = 1.0) -> dict[str, Any]:
    return {"family": "STIXGeneral", "size": SIZE * scale, "weight": "bold" if bold else "normal"}


@functools.cache
def _width(text: str, bold: bool) -> float:
    """How wide a text is in inches."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(**_font(bold))
    return text_to_path.get_text_width_height_descent(text, font, ismath=False)[0] / 72


def _write(
    axes: Axes, marks: list[Mark], scale: float, inks: Array, top: float, subject: int
) -> None:
    """Write the sentence below top, the subject and the verb in their colours."""
    colours = {subject: SUBJECT, len(inks): VERB, None: QUIET}
    for text, word, x, line, width in marks:
        y = top - LINE * scale * (line + 0.72)
        amount = 0.8 if word is None else 1.0 if word == len(inks) else inks[word]
        colour = _inked(colours.get(word, INK), amount)
        font = _font(word in (subject, len(inks)), scale)
        axes.text(x, y, text, color=colour, va="baseline", **font)
        if word == subject:
            under = [x, x + width]
            axes.plot(under, [y - 0.06] * 2, color=SUBJECT, lw=1.6, solid_capstyle="round")


def _arrow(axes: Axes, verb: Mark, bottom: float) -> None:
    """Draw the gradient's way back, from below the verb to the left."""
    y = bottom - 0.13
    right = verb.x + verb.width / 2
    axes.plot([right, right], [y, y + 0.13], color=VERB, lw=1.4)
    axes.annotate("", (right - 0.7, y), (right, y), arrowprops=BACKWARD)
    x, align = (right - 0.78, "right") if right > 2.6 else (right + 0.1, "left")
    axes.text(x, y, "gradient flows back", fontsize=9.5, color=VERB, va="center", ha=align)


def _key(axes: Axes, y: float) -> None:
    """Draw what the ink means along a line."""
    text = {"y": y, "fontsize": 9, "color": QUIET, "va": "center"}
    axes.text(MARGIN, s="of the verb's signal", **text)
    names = ("all of it", "a thousandth", "a millionth", "a billionth or less")
    x = MARGIN + 1.4
    for name, amount in zip(names, np.linspace(1, PALE, 4), strict=True):
        axes.plot([x, x + 0.22], [y, y], color=_inked(INK, amount), lw=7, solid_capstyle="butt")
        axes.text(x + 0.3, s=name, **text)
        x += 0.55 + 0.076 * len(name)
