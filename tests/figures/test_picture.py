"""A picture is shown with its description, as a PNG, and never through pyplot."""

from __future__ import annotations

import io

import matplotlib
import numpy as np
import pytest
from IPython import display
from PIL import Image

from helpers.figures import lines as plots
from helpers.figures.picture import Picture, about, canvas, in_course_style, size, spoken


def picture() -> Picture:
    return plots.curves(np.arange(3), {"a": np.ones(3)}, title="T", xlabel="x", ylabel="y")


def test_png_has_the_size_asked_for():
    image = Image.open(io.BytesIO(picture().png()))
    assert image.format == "PNG"
    assert image.size == (800, 360)


def test_png_is_the_same_twice():
    assert picture().png() == picture().png()


def test_show_gives_the_image_its_description_as_text_and_alt_text(monkeypatch):
    shown = []
    monkeypatch.setattr(display, "display", lambda *args, **kwargs: shown.append((args, kwargs)))
    drawn = picture()
    drawn.show()
    [((data,), options)] = shown
    assert data["text/plain"] == drawn.description
    assert options["metadata"] == {"image/png": {"alt": drawn.description}}
    assert options["raw"]
    assert data["image/png"].startswith(b"\x89PNG")
    assert drawn.figure.axes == []


def test_the_readers_own_matplotlib_settings_are_left_alone():
    before = dict(matplotlib.rcParams)

    @in_course_style
    def draw() -> Picture:
        assert matplotlib.rcParams["axes.grid"]
        return Picture(canvas()[0], "nothing")

    draw()
    assert dict(matplotlib.rcParams) == before


def test_labels_are_spoken_without_tex():
    assert spoken("$\\log_{10}$ signal") == "log10 signal"
    assert spoken("norm of $A^k$: 10^1 at 1") == "norm of A^k: 10^1 at 1"


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
