"""A picture is shown with its description, as a PNG, and never through pyplot."""

from __future__ import annotations

import io

import matplotlib
import numpy as np
import pytest
from IPython import display
from PIL import Image

from helpers.figures import Picture, about, curves, size
from helpers.figures.picture import canvas, card, described, in_course_style, stored


def picture() -> Picture:
    return curves(np.arange(3), {"a": np.ones(3)}, title="T", xlabel="x", ylabel="y")


def test_png_has_the_size_asked_for_and_is_the_same_twice():
    data = picture().png()
    image = Image.open(io.BytesIO(data))
    assert image.format == "PNG"
    assert image.size == (1600, 720)  # shown at half
    assert data == picture().png()
    colours = np.asarray(Image.open(io.BytesIO(picture().png(quick=True))), dtype=int)
    assert abs(colours - np.asarray(image.convert("RGB"))).mean() < 1


def test_a_notebook_keeps_a_picture_with_its_alt_text_and_names_it():
    drawn = Picture(card(2, 1), 'What is "left" & <gone>? One part in two. No more.')
    data = drawn._repr_mimebundle_()
    assert data["text/plain"] == 'Figure: What is "left" & <gone>?'
    assert stored(data["text/html"]) == (drawn.alt_text, 200, drawn.png())
    assert stored("<p>no picture</p>") is None


def test_show_displays_the_picture(monkeypatch):
    shown = []
    monkeypatch.setattr(display, "display", shown.append)
    drawn = Picture(card(2, 1), "T")
    drawn.show()
    assert shown == [drawn]


def test_the_readers_own_matplotlib_settings_are_left_alone():
    before = dict(matplotlib.rcParams)

    @in_course_style
    def draw() -> Picture:
        assert matplotlib.rcParams["axes.grid"]
        return Picture(canvas()[0], "nothing")

    draw()
    assert dict(matplotlib.rcParams) == before


def test_an_alt_text_is_whole_sentences_without_tex():
    assert described("T", "$\\log_{10}$ signal", "") == "T. log10 signal."
    assert described("Why?", "norm of $A^k$: 10^1 at 1.") == "Why? norm of A^k: 10^1 at 1."


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.4312, 2, "≈ 0.43"),
        (0.996, 2, "≈ 1.0"),
        (17_412, 2, "≈ 17,000"),
        (17_412, 3, "≈ 17,400"),
        (-0.05178, 2, "≈ -0.052"),
        (1.26e-7, 2, "≈ 1.3e-07"),
        (5, 1, "≈ 5"),
        (0, 2, "0"),
        (float("inf"), 2, "inf"),
    ],
)
def test_about_shows_so_many_digits(value, digits, text):
    assert about(value, digits) == text


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("~ 120", {"value": 123.4}),
        ("~ 3", {"value": 3.2}),
        ("~ 0.02", {"value": 0.0213}),
        ("~ 10^-271", {"value": -271.2, "log10": True}),
        ("~ 10^-7", {"value": 1.2e-7}),
        ("~ 200", {"value": 2.3, "log10": True}),
        ("0", {"value": 0.0}),
    ],
)
def test_size_shows_an_order_of_magnitude(text, arguments):
    assert size(**arguments) == text
