"""Sliders of the notebooks, each the live copy of a static figure.

A slider's callback is a plain function that gives a Picture; it is tested, and the
static figure beside the slider is the same function at one value.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Callable, Sequence
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

    A range without 12 starts at its nearer end.
    Raises ValueError unless 3 <= smallest <= largest <= 10,000.
    """
    AgreementTask((smallest, largest))
    start = max(smallest, min(largest, 12))
    return picture_sliders(strip_at_gap, gap=(range(smallest, largest + 1), start))


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
        return image_tag(draw(**{name: slider.value for name, slider in sliders.items()}))

    image = HTML(drawn())

    def redraw(_: dict[str, object]) -> None:
        image.value = drawn()

    for slider in sliders.values():
        slider.observe(redraw, names="value")
    return VBox([*sliders.values(), image])


def image_tag(picture: Picture) -> str:
    """The picture as an HTML image with its description as alt text."""
    data = base64.b64encode(picture.png()).decode()
    alt = html.escape(picture.description)
    return f'<img style="max-width: 100%" alt="{alt}" src="data:image/png;base64,{data}">'
