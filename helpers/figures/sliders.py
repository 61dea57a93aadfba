"""Sliders of the notebooks, and the same pictures as frames for a page without a kernel.

Each slider draws a Picture on axes that stay where they are, so that what moves is what the
slider changes.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from helpers.figures.ink import share_at, what_is_left
from helpers.figures.look import BACKWARD, COLOURS, INK, QUIET, SUBJECT, VERB, Axes
from helpers.figures.maps import descents, phase_at
from helpers.figures.picture import SHOWN, WIDTH, Picture, card, described, in_course_style, raised
from helpers.measure import cliff
from helpers.measure.signal import signal
from helpers.networks import classifiers
from helpers.task.agreement import AgreementTask, vocabulary
from helpers.validation import Array

if TYPE_CHECKING:
    from ipywidgets import VBox
    from torch import nn


def strip_at_gap(gap: int) -> Picture:
    """Draw the signal of an untrained RNN (hidden 32, float64) on one sentence with this gap."""
    model = classifiers.rnn_classifier(len(vocabulary()), seed=0)
    return _strip(model, gap, f"Untrained RNN, gap {gap}", words=67, decades=28)


def strip_at_bias(bias: float) -> Picture:
    """Draw the signal of an untrained GRU with this bias on its update gate, at gap 40."""
    model = classifiers.gru_classifier(len(vocabulary()), update_bias=bias, seed=0)
    title = f"Untrained GRU, bias {bias:g} on the update gate"
    return _strip(model, 40, title, words=48, decades=20)


@in_course_style
def _strip(model: nn.Module, gap: int, title: str, *, words: int, decades: int) -> Picture:
    """One sentence's signal on axes that hold so many words and decades, the verb at the right."""
    sentence = AgreementTask(gap, seed=0).sentence()
    tokens = torch.from_numpy(vocabulary().encode(sentence.words))[None]
    values = signal(model.double(), tokens)[0]
    figure = card(WIDTH, 4.2)
    axes: Axes = figure.add_axes((0.03, 0.24, 0.87, 0.66))
    places = np.arange(len(values)) - len(values)
    at = places[sentence.subject]
    logs = np.log10(values)
    axes.plot(places, logs, color=COLOURS[0], marker="o", markersize=4)
    axes.axvspan(at - 0.5, at + 0.5, color=SUBJECT, alpha=0.15, lw=0)
    axes.plot([at], [logs[sentence.subject]], "o", color=SUBJECT, markersize=10)
    left = f"{sentence.words[sentence.subject]}: {what_is_left(share_at(values, sentence.subject))}"
    head = {"transform": axes.transAxes, "fontsize": 12, "weight": "bold"}
    axes.text(0.01, 1.03, title, **head)
    axes.text(0.99, 1.03, raised(left), color=SUBJECT, ha="right", **head)
    axes.set(xlim=(-words, 1), ylim=(-decades, 2))
    axes.set_xticks([])
    colours = {at: SUBJECT, 0: VERB}
    name = {"rotation": 90, "fontsize": 8, "ha": "center", "va": "top"}
    for place, word in zip((*places, 0), (*sentence.words, sentence.verb), strict=True):
        name |= {"color": colours.get(place, INK), "weight": 700 if place in colours else 400}
        axes.text(place, -decades - 0.5, word, **name)  # quicker by half than labels of ticks
    axes.yaxis.tick_right()
    axes.set_yticks(range(-decades, 1, 4), [f"$10^{{{y}}}$" for y in range(-decades, 1, 4)])
    axes.spines["left"].set_visible(False)
    axes.spines["right"].set_visible(True)
    axes.annotate("", (-0.14 * words, 1), (0, 1), arrowprops=BACKWARD)
    back = {"fontsize": 9.5, "color": VERB, "ha": "right", "va": "center"}
    axes.text(-0.15 * words, 1, "gradient flows back", **back)
    axes.yaxis.set_label_position("right")
    axes.set_ylabel("signal", fontsize=9.5, color=QUIET, labelpad=1)
    return Picture(figure, described(title, f"Left of the verb's signal at the subject, {left}"))


@functools.cache
def _surface() -> tuple[Array, Array, Array]:
    return cliff.surface()[:3]


def cliff_at(threshold: float) -> Picture:
    """Draw two descents on the cliff from one start, without clipping and clipped at threshold."""
    descend = functools.partial(cliff.descend, (6.0, -2.0), 10.0, 60)
    paths = {"not clipped": descend(), f"clipped at {threshold:g}": descend(max_norm=threshold)}
    return descents(*_surface(), paths)


class Slider(NamedTuple):
    """What a slider draws, and for each argument its values in order and the first one shown."""

    draw: Callable[..., Picture]
    choices: Mapping[str, tuple[Sequence[float], float]]


SLIDERS = {
    "gap": Slider(strip_at_gap, {"gap": (range(3, 61), 12)}),
    "bias": Slider(strip_at_bias, {"bias": ([half / 2 for half in range(-4, 15)], 0.0)}),
    "phase": Slider(
        phase_at,
        {
            "gain": ([quarter / 4 for quarter in range(1, 17)], 2.0),
            "steps": ([10, 20, 50, 100, 200, 500, 1000], 100),
        },
    ),
    "cliff": Slider(cliff_at, {"threshold": ([0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 1.0], 0.1)}),
}


class Frame(NamedTuple):
    """One picture of a slider: the value of each argument, the PNG and its alt text."""

    values: dict[str, float]
    png: bytes
    caption: str


def frames(name: str, **only: Sequence[float]) -> list[Frame]:
    """Return all pictures of a slider, for a page that has no kernel.

    name: of one of SLIDERS. only: for an argument the values wanted, instead of all.
    """
    draw, choices = SLIDERS[name]
    found = []
    for chosen in itertools.product(*(only.get(each, of) for each, (of, _) in choices.items())):
        at = dict(zip(choices, chosen, strict=True))
        picture = draw(**at)
        found.append(Frame(at, picture.png(), picture.alt_text))
    return found


def slider(
    draw: Callable[..., Picture], choices: Mapping[str, tuple[Sequence[float], float]]
) -> VBox:
    """Return a slider for each of draw's arguments, above the picture that moves with them.

    choices: for each argument its values in order and the one to start at. The picture keeps
    its height.
    """
    from ipywidgets import HTML, Layout, SelectionSlider, VBox

    sliders = {
        name: SelectionSlider(
            options=[(f"{value:g}", value) for value in values],
            value=start,
            description=name,
            layout=Layout(width="min(100%, 800px)"),
        )
        for name, (values, start) in choices.items()
    }
    image = HTML()

    @functools.cache  # a value that a drag comes back to is there at once
    def tag(*values: float) -> str:
        picture = draw(**dict(zip(choices, values, strict=True)))
        image.layout.min_height = f"{picture.figure.get_figheight() * SHOWN:.0f}px"
        return picture.tag(quick=True)

    def redraw(_: object = None) -> None:
        image.value = tag(*(each.value for each in sliders.values()))

    redraw()
    for each in sliders.values():
        each.observe(redraw, names="value")
    return VBox([*sliders.values(), image])


gap_slider, bias_slider, phase_slider, cliff_slider = (
    functools.partial(slider, *each) for each in SLIDERS.values()
)
