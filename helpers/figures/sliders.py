"""Sliders of the notebooks, each the live copy of a static figure.

A slider's callback is a plain function that gives a Picture; it is tested, and the
static figure beside the slider is the same function at one value.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from helpers import measure as gradients
from helpers.figures import cliffs as cliff_plots
from helpers.figures import lines as plots
from helpers.figures import maps as map_plots
from helpers.figures.picture import Picture
from helpers.measure import cliff, phase_map
from helpers.networks import classifiers as models
from helpers.task.agreement import AgreementTask
from helpers.validation import Array, number_above

if TYPE_CHECKING:
    from ipywidgets import VBox

STEP_COUNTS = (10, 20, 50, 100, 200, 500, 1000)


def strip_at_gap(gap: int) -> Picture:
    """The strip of an untrained RNN (hidden 32, float64) on one sentence with this gap.

    Raises ValueError if gap is out of AgreementTask's range.
    """
    task = AgreementTask(gap, seed=0)
    sentence = task.sentence()
    model = models.rnn_classifier(len(task.vocabulary), seed=0).double()
    tokens = torch.from_numpy(task.vocabulary.encode(sentence.words))[None]
    return plots.strip(
        sentence.words,
        {"untrained RNN": gradients.signal(model, tokens)[0]},
        subject=sentence.subject,
        title=f"Gap {gap}: the signal at the subject, {gap} words before the verb",
    )


def gap_slider(smallest: int = 3, largest: int = 60) -> VBox:
    """A slider over the gap with `strip_at_gap` below it, at first at gap 12.

    A range without 12 starts at its nearer end.
    Raises ValueError unless 3 <= smallest <= largest <= 10,000.
    """
    AgreementTask((smallest, largest))
    start = max(smallest, min(largest, 12))
    return picture_sliders(strip_at_gap, gap=(range(smallest, largest + 1), start))


@functools.cache
def _theory_of_phases() -> tuple[Array, Array, Array]:
    gains, input_stds = np.arange(1, 17) / 4, np.arange(11) / 4
    return gains, input_stds, phase_map.theory_map(gains, input_stds)


def phase_at(gain: float, steps: int) -> Picture:
    """How a gradient has grown after so many steps, over gain and input, by the theory.

    Drawn by `map_plots.growth_map`. gain: a quarter to 4, in quarters; steps: 1 or more.
    Raises ValueError if one is none of these.
    """
    gains, input_stds, factors = _theory_of_phases()
    border = phase_map.critical_curve(np.linspace(0, input_stds[-1], 51))
    return map_plots.growth_map(gains, input_stds, factors, border, gain=gain, steps=steps)


def phase_slider() -> VBox:
    """Sliders over the gain and the number of steps T, with `phase_at` below them."""
    gains = _theory_of_phases()[0].tolist()
    return picture_sliders(phase_at, gain=(gains, 2.0), steps=(STEP_COUNTS, 100))


def strip_at_bias(bias: float) -> Picture:
    """The strip of an untrained GRU with this bias on its update gate, at gap 40, in float64.

    Raises ValueError if bias is not finite.
    """
    task = AgreementTask(40, seed=0)
    sentence = task.sentence()
    model = models.gru_classifier(len(task.vocabulary), update_bias=bias, seed=0).double()
    tokens = torch.from_numpy(task.vocabulary.encode(sentence.words))[None]
    return plots.strip(
        sentence.words,
        {"untrained GRU": gradients.signal(model, tokens)[0]},
        subject=sentence.subject,
        title=f"Bias {bias:g} on the update gate: the signal over 40 words",
    )


def bias_slider() -> VBox:
    """A slider over the update gate's bias with `strip_at_bias` below it, at first at 0."""
    return picture_sliders(strip_at_bias, bias=([half / 2 for half in range(-4, 15)], 0.0))


CLIFF_START, CLIFF_RATE, CLIFF_STEPS = (6.0, -2.0), 10.0, 60


@functools.cache
def _surface_of_cliff() -> tuple[Array, Array, Array]:
    return cliff.surface()[:3]


def cliff_at(threshold: float) -> Picture:
    """Two descents on the cliff from one start, without clipping and clipped at threshold.

    Drawn by `cliff_plots.descents`, from w = 6, b = -2 at rate 10 for 60 steps.
    Raises ValueError if threshold is not a finite number above 0.
    """
    number_above("threshold", threshold, 0)
    thresholds = {"not clipped": None, f"clipped at {threshold:g}": threshold}
    paths = {
        name: cliff.descend(CLIFF_START, CLIFF_RATE, CLIFF_STEPS, max_norm)
        for name, max_norm in thresholds.items()
    }
    return cliff_plots.descents(*_surface_of_cliff(), paths)


def cliff_slider() -> VBox:
    """A slider over the clip threshold with `cliff_at` below it, at first at 0.1."""
    return picture_sliders(cliff_at, threshold=([0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 1.0], 0.1))


def picture_sliders(draw: Callable[..., Picture], **choices: tuple[Sequence[float], float]) -> VBox:
    """A slider for each of draw's arguments, above the picture that draw gives for them.

    choices: for each argument its name, with the values to choose from, in order, and the
    one to start at. The picture and its alt text are redrawn when a slider is let go.
    Raises ValueError if a start is not among its values.
    """
    from ipywidgets import HTML, SelectionSlider, VBox

    sliders = {}
    for name, (values, start) in choices.items():
        if start not in values:
            raise ValueError(f"{name} must start at one of {list(values)}; got {start!r}")
        options = [(f"{value:g}", value) for value in values]
        sliders[name] = SelectionSlider(
            options=options, value=start, description=name, continuous_update=False
        )

    def drawn() -> str:
        return draw(**{name: slider.value for name, slider in sliders.items()}).tag()

    image = HTML(drawn())

    def redraw(_: dict[str, object]) -> None:
        image.value = drawn()

    for slider in sliders.values():
        slider.observe(redraw, names="value")
    return VBox([*sliders.values(), image])
