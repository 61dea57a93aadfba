"""A picture is shown with its description, as a PNG, and never through pyplot."""

from __future__ import annotations

import io

import matplotlib
import numpy as np
from IPython import display
from PIL import Image

from helpers.figures import lines as plots
from helpers.figures.picture import Picture, canvas, in_course_style, spoken


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
