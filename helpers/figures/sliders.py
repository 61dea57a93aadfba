"""Sliders of the notebooks, and the same pictures as frames for a page without a kernel.

Each slider's callback is a plain function that gives a Picture on axes that stay where they
are, so that what moves is what the slider changes.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from helpers.figures.ink import share_at, what_is_left
from helpers.figures.maps import descents, growth_map
from helpers.figures.picture import (
    BACKWARD,
    COLOURS,
    INK,
    QUIET,
    SHOWN,
    SUBJECT,
    VERB,
    Picture,
    card,
    described,
    in_course_style,
    raised,
)
from helpers.measure import cliff, phase_map
from helpers.measure.signal import signal
from helpers.networks import classifiers
from helpers.task.agreement import AgreementTask, Sentence
from helpers.validation import Array

if TYPE_CHECKING:
    from ipywidgets import VBox
    from torch import nn

CLIFF_START, CLIFF_RATE, CLIFF_STEPS = (6.0, -2.0), 10.0, 60


@functools.cache
def _sentence(gap: int) -> tuple[AgreementTask, Sentence]:
    task = AgreementTask(gap, seed=0)
    return task, task.sentence()


def _signal(model: nn.Module, task: AgreementTask, sentence: Sentence) -> Array:
    tokens = torch.from_numpy(task.vocabulary.encode(sentence.words))[None]
    return signal(model.double(), tokens)[0]


def strip_at_gap(gap: int) -> Picture:
    """Draw the signal of an untrained RNN (hidden 32, float64) on one sentence with this gap.

    Raises ValueError if gap is out of AgreementTask's range.
    """
    task, sentence = _sentence(gap)
    model = classifiers.rnn_classifier(len(task.vocabulary), seed=0)
    title = f"Untrained RNN, gap {gap}"
    return _pinned(sentence, _signal(model, task, sentence), title, words=67, decades=28)


def strip_at_bias(bias: float) -> Picture:
    """Draw the signal of an untrained GRU with this bias on its update gate, at gap 40.

    Raises ValueError if bias is not finite.
    """
    task, sentence = _sentence(40)
    model = classifiers.gru_classifier(len(task.vocabulary), update_bias=bias, seed=0)
    title = f"Untrained GRU, bias {bias:g} on the update gate"
    return _pinned(sentence, _signal(model, task, sentence), title, words=48, decades=20)


@in_course_style
def _pinned(sentence: Sentence, values: Array, title: str, *, words: int, decades: int) -> Picture:
    """One sentence's signal on axes that hold so many words and decades, the verb at the right."""
    figure = card(8.0, 4.2)
    axes = figure.add_axes((0.03, 0.24, 0.87, 0.66))
    places = np.arange(len(values)) - len(values)
    at = places[sentence.subject]
    logs = np.log10(values)
    axes.plot(places, logs, color=COLOURS[0], marker="o", markersize=4)
    axes.axvspan(at - 0.5, at + 0.5, color=SUBJECT, alpha=0.15, lw=0)
    axes.plot([at], [logs[sentence.subject]], "o", color=SUBJECT, markersize=10)
    left = f"{sentence.words[sentence.subject]}: {what_is_left(share_at(values, sentence.subject))}"
    axes.text(0.01, 1.03, title, transform=axes.transAxes, fontsize=12, weight="bold")
    axes.text(0.99, 1.03, raised(left), transform=axes.transAxes, fontsize=12, weight="bold",
              color=SUBJECT, ha="right")  # fmt: skip
    axes.set(xlim=(-words, 1), ylim=(-decades, 2))
    axes.set_xticks([])
    colours = {at: SUBJECT, 0: VERB}
    for place, word in zip((*places, 0), (*sentence.words, sentence.verb), strict=True):
        axes.text(  # quicker by half than the labels of ticks
            place, -decades - 0.5, word, rotation=90, fontsize=8, ha="center", va="top",
            color=colours.get(place, INK), weight="bold" if place in colours else "normal",
        )  # fmt: skip
    axes.yaxis.tick_right()
    axes.set_yticks(range(-decades, 1, 4), [f"$10^{{{y}}}$" for y in range(-decades, 1, 4)])
    axes.spines["left"].set_visible(False)
    axes.spines["right"].set_visible(True)
    axes.annotate("", (-0.14 * words, 1), (0, 1), arrowprops=BACKWARD)
    axes.text(-0.15 * words, 1, "gradient flows back", fontsize=9.5, color=VERB, ha="right",
              va="center")  # fmt: skip
    axes.yaxis.set_label_position("right")
    axes.set_ylabel("signal", fontsize=9.5, color=QUIET, labelpad=1)
    return Picture(figure, described(title, f"Left of the verb's signal at the subject, {left}"))


@functools.cache
def _theory_of_phases() -> tuple[Array, Array, Array, tuple[Array, Array]]:
    gains, input_stds = np.arange(1, 17) / 4, np.arange(11) / 4
    border = phase_map.critical_curve(np.linspace(0, input_stds[-1], 51))
    return gains, input_stds, phase_map.theory_map(gains, input_stds), border


def phase_at(gain: float, steps: int) -> Picture:
    """Draw how a gradient has grown after so many steps, over gain and input, by the theory.

    gain: a quarter to 4, in quarters; steps: 1 or more.
    Raises ValueError if one is none of these.
    """
    return growth_map(*_theory_of_phases(), gain=gain, steps=steps)


@functools.cache
def _surface_of_cliff() -> tuple[Array, Array, Array]:
    return cliff.surface()[:3]


def cliff_at(threshold: float) -> Picture:
    """Draw two descents on the cliff from one start, without clipping and clipped at threshold.

    Raises ValueError if threshold is not a finite number above 0.
    """
    thresholds = {"not clipped": None, f"clipped at {threshold:g}": threshold}
    paths = {
        name: cliff.descend(CLIFF_START, CLIFF_RATE, CLIFF_STEPS, max_norm)
        for name, max_norm in thresholds.items()
    }
    return descents(*_surface_of_cliff(), paths)


class Slider(NamedTuple):
    """What a slider draws, and for each argument its values in order and the first one shown."""

    draw: Callable[..., Picture]
    choices: Mapping[str, tuple[Sequence[float], float]]
    moves: bool = True  # while it is dragged; else when it is let go


SLIDERS = {
    "gap": Slider(strip_at_gap, {"gap": (tuple(range(3, 61)), 12)}),
    "bias": Slider(strip_at_bias, {"bias": (tuple(half / 2 for half in range(-4, 15)), 0.0)}),
    "phase": Slider(
        phase_at,
        {
            "gain": (tuple(quarter / 4 for quarter in range(1, 17)), 2.0),
            "steps": ((10, 20, 50, 100, 200, 500, 1000), 100),
        },
        moves=False,
    ),
    "cliff": Slider(
        cliff_at, {"threshold": ((0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 1.0), 0.1)}, moves=False
    ),
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
    slider = SLIDERS[name]
    values = [only.get(argument, choices) for argument, (choices, _) in slider.choices.items()]
    found = []
    for chosen in itertools.product(*values):
        at = dict(zip(slider.choices, chosen, strict=True))
        picture = slider.draw(**at)
        found.append(Frame(at, picture.png(), picture.alt_text))
    return found


def gap_slider() -> VBox:
    """Return a slider over the gap with `strip_at_gap` below it."""
    return picture_sliders(*SLIDERS["gap"])


def bias_slider() -> VBox:
    """Return a slider over the update gate's bias with `strip_at_bias` below it."""
    return picture_sliders(*SLIDERS["bias"])


def phase_slider() -> VBox:
    """Return sliders over the gain and the number of steps with `phase_at` below them."""
    return picture_sliders(*SLIDERS["phase"])


def cliff_slider() -> VBox:
    """Return a slider over the clip threshold with `cliff_at` below it."""
    return picture_sliders(*SLIDERS["cliff"])


def picture_sliders(
    draw: Callable[..., Picture],
    choices: Mapping[str, tuple[Sequence[float], float]],
    moves: bool = True,
) -> VBox:
    """Return a slider for each of draw's arguments, above the picture that draw gives for them.

    choices: for each argument its values in order and the one to start at. The picture keeps
    its height, and moves while a slider is dragged if it is drawn quickly enough for that.
    """
    from ipywidgets import HTML, Layout, SelectionSlider, VBox

    sliders = {
        name: SelectionSlider(
            options=[(f"{value:g}", value) for value in values],
            value=start,
            description=name,
            continuous_update=moves,
            layout=Layout(width="min(100%, 800px)"),
        )
        for name, (values, start) in choices.items()
    }

    def drawn() -> Picture:
        return draw(**{name: slider.value for name, slider in sliders.items()})

    first = drawn()
    height = first.figure.get_figheight() * SHOWN
    image = HTML(first.tag(), layout=Layout(min_height=f"{height:.0f}px"))

    def redraw(_: dict[str, object]) -> None:
        image.value = drawn().tag()

    for slider in sliders.values():
        slider.observe(redraw, names="value")
    return VBox([*sliders.values(), image])
