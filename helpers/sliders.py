"""Sliders of the notebooks, each the live copy of a static figure.

A slider's callback is a plain function that gives a Picture; it is tested, and the
static figure beside the slider is the same function at one value.
"""

from __future__ import annotations

import base64
import html
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
    """A slider over the gap with `strip_at_gap` below it, at first at gap 12.

    Raises ValueError unless 3 <= smallest <= largest <= 10,000.
    """
    AgreementTask((smallest, largest))
    return picture_slider(strip_at_gap, "gap", smallest, largest, start=12)


def picture_slider(
    draw: Callable[[int], Picture], name: str, smallest: int, largest: int, start: int
) -> VBox:
    """An integer slider above the picture that draw gives for its value.

    The picture and its alt text are redrawn when the slider is let go. A start outside
    the range moves to its nearer end.
    """
    from ipywidgets import HTML, IntSlider, VBox

    slider = IntSlider(start, smallest, largest, description=name, continuous_update=False)
    image = HTML(image_tag(draw(slider.value)))

    def redraw(change: dict[str, int]) -> None:
        image.value = image_tag(draw(change["new"]))

    slider.observe(redraw, names="value")
    return VBox([slider, image])


def image_tag(picture: Picture) -> str:
    """The picture as an HTML image with its description as alt text."""
    data = base64.b64encode(picture.png()).decode()
    alt = html.escape(picture.description)
    return f'<img style="max-width: 100%" alt="{alt}" src="data:image/png;base64,{data}">'
