"""What every figure of the course shares: a card to draw on, one way to be shown and described.

No figure is ever handed to pyplot's global list, so none has to be closed and none needs a
display.
"""

from __future__ import annotations

import base64
import functools
import html
import io
import math
import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec

import numpy as np

from helpers.figures.look import BORDER, PAPER, STYLE, Axes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Arguments = ParamSpec("Arguments")
WIDTH = 8.0  # inches
DPI, SHOWN = 200, 100  # pixels an inch, drawn and as wide as the page shows them
TAG = '<img class="course-picture" alt="{}" width="{}" src="data:image/png;base64,{}">'


@dataclass(frozen=True)
class Picture:
    """A figure and the sentences that describe it, made from the same numbers.

    As the last line of a cell it shows itself: an <img> of class course-picture, since
    JupyterLab keeps the alt text of no other image, above plain text that names it.
    """

    figure: Figure
    alt_text: str

    def png(self, *, quick: bool = False) -> bytes:
        """Return the figure as a PNG of 256 colours, twice as large as it is shown.

        quick: with all colours instead, which is done sooner and takes more bytes.
        """
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from PIL import Image

        canvas = FigureCanvasAgg(self.figure)
        canvas.draw()
        image = Image.fromarray(np.asarray(canvas.buffer_rgba())[:, :, :3])
        buffer = io.BytesIO()
        if not quick:
            image = image.quantize(256, dither=Image.Dither.NONE)
        image.save(buffer, "png", compress_level=1 if quick else 6)
        return buffer.getvalue()

    def tag(self, *, quick: bool = False) -> str:
        """Return the figure as an HTML image with its alt text; quick: as in png."""
        data = base64.b64encode(self.png(quick=quick)).decode()
        width = round(self.figure.get_figwidth() * SHOWN)
        return TAG.format(html.escape(self.alt_text), width, data)

    def show(self) -> None:
        """Display the figure in a notebook."""
        from IPython.display import display

        display(self)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """Return what a notebook stores."""
        title = re.split(r"(?<=[.?!])\s", self.alt_text)[0]
        return {"text/html": self.tag(), "text/plain": f"Figure: {title}"}


class Stored(NamedTuple):
    """A picture as a notebook keeps it; width: in pixels of the page."""

    alt_text: str
    width: int
    png: bytes


def stored(page: str) -> Stored | None:
    """Return the picture in what a notebook keeps as text/html; None if it holds none."""
    found = re.search(TAG.replace("{}", '([^"]*)'), page)
    if found is None:
        return None
    alt_text, width, data = found.groups()
    return Stored(html.unescape(alt_text), int(width), base64.b64decode(data))


def in_course_style(draw: Callable[Arguments, Picture]) -> Callable[Arguments, Picture]:
    """Run a drawing function under STYLE, leaving the reader's own settings as they were."""

    @functools.wraps(draw)
    def styled(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Picture:
        import matplotlib

        with matplotlib.rc_context(STYLE):
            return draw(*args, **kwargs)

    return styled


def card(width: float, height: float, **options: Any) -> Figure:
    """Return a new figure (inches) on a light card, which a dark page leaves readable."""
    from matplotlib.figure import Figure

    paper: dict[str, Any] = {"facecolor": PAPER, "edgecolor": BORDER, "linewidth": 1.5}
    return Figure(figsize=(width, height), dpi=DPI, **paper, **options)


def board(width: float, height: float) -> tuple[Figure, Axes]:
    """Return a new card and axes over all of it, in inches from its lower left corner."""
    figure = card(width, height)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(0, height))
    axes.set_axis_off()
    return figure, axes


def canvas(height: float = 3.6, **grid: Any) -> tuple[Figure, Any]:
    """Return a new card (inches) as wide as a page, and its axes; grid goes to subplots."""
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    figure = card(WIDTH, height, layout=ConstrainedLayoutEngine(w_pad=0.14, h_pad=0.12))
    return figure, figure.subplots(**grid)


def headline(title: str) -> str:
    """Return a title in lines that fit a figure."""
    return textwrap.fill(title, 67)


def entitle(figure: Figure, title: str) -> None:
    """Set a figure's title at its upper left, in as many lines as it needs."""
    if title:
        figure.suptitle(headline(title), x=0.02, ha="left")


def finished(figure: Figure, title: str, *sentences: str) -> Picture:
    """Set a figure's title; return it with the title and the sentences as its alt text."""
    entitle(figure, title)
    return Picture(figure, described(title, *sentences))


def described(title: str, *sentences: str) -> str:
    """Return an alt text: the title and the sentences, each ended, without TeX's marks."""
    ended = (text if text[-1:] in ".?!" else f"{text}." for text in (title, *sentences) if text)
    return re.sub(r"\$|\\(?=[a-z])|_?\{([^}]*)\}", r"\1", " ".join(ended))


def raised(text: str) -> str:
    """Return a text with its powers of ten set as such: "10^271"."""
    return re.sub(r"10\^(-?\d+)", r"$\\mathdefault{10^{\1}}$", text)


def about(value: float, digits: int = 2) -> str:
    """Print a number that may differ in its last digit elsewhere: "≈ 0.43", "≈ 17,000".

    digits: how many are shown, the first that is not 0 included. Below 10^-4 and above 10^6
    the power of ten is written out: "≈ 1.3e-05". Exactly 0, inf and nan stand without a sign.
    """
    if value == 0 or not np.isfinite(value):
        return f"{value:g}"
    rounded = float(f"{value:.{digits - 1}e}")
    exponent = math.floor(math.log10(abs(rounded)))
    if not -5 < exponent < 6:
        return f"≈ {value:.{digits - 1}e}"
    return f"≈ {rounded:,.{max(0, digits - 1 - exponent)}f}"


def size(value: float, *, log10: bool = False) -> str:
    """Print a number of which only the size is meant: "~ 120", "~ 10^-271".

    log10: whether value is the number's logarithm to base 10, for one no float can hold.
    From 10^-3 to 10^6 it is written out with one digit or, from 10 on, two. Beyond that
    only a positive number has a size.
    """
    if not log10 and (value == 0 or not np.isfinite(value)):
        return f"{value:g}"
    exponent = value if log10 else math.log10(abs(value))
    if not -3 <= exponent < 6:
        return f"~ 10^{round(exponent)}"
    number = 10**value if log10 else value
    return about(number, 2 if exponent >= 1 else 1).replace("≈", "~")
