"""Sliders of the notebooks, each the live copy of a static figure.

A slider's callback is a plain function that gives a Picture; it is tested, and the
static figure beside the slider is the same function at one value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch

from helpers import gradients, models, plots
from helpers.agreement import AgreementTask
from helpers.pictures import Picture

if TYPE_CHECKING:
    from ipywidgets import VBox


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
    """A slider over the gap with `strip_at_gap` below it."""
    return picture_slider(strip_at_gap, "gap", smallest, largest, start=12)


def picture_slider(
    draw: Callable[[int], Picture], name: str, smallest: int, largest: int, start: int
) -> VBox:
    """An integer slider above the picture that draw gives for its value.

    The picture is redrawn when the slider is let go.
    """
    from ipywidgets import Image, IntSlider, VBox

    slider = IntSlider(start, smallest, largest, description=name, continuous_update=False)
    first = draw(start)
    image = Image(value=first.png(), format="png", alt=first.description)

    def redraw(change: dict[str, int]) -> None:
        image.value = draw(change["new"]).png()

    slider.observe(redraw, names="value")
    return VBox([slider, image])
