"""tools.animation: the README's two animations, made and stored."""

import re

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from helpers.figures.picture import Picture, card
from tools import animation

README = (animation.FOLDER.parent / "README.md").read_text(encoding="utf-8")
SHOWN = dict(re.findall(r"!\[([^]]+)\]\(notebooks/(\w+)\.gif\)", README))
NAMES = {name: alt_text for alt_text, name in SHOWN.items()}


@pytest.fixture(scope="module")
def hero():
    return animation.hero()


def texts(picture):
    return [text.get_text() for axes in picture.figure.axes for text in axes.texts]


# --- What is stored


@pytest.mark.parametrize("name", ["hero", "film"])
def test_the_readme_shows_an_animation_that_loads_at_once(name):
    assert NAMES[name]
    path = animation.FOLDER / f"{name}.gif"
    assert path.stat().st_size < 600_000
    with Image.open(path) as image:
        assert image.width == animation.WIDTH
        assert image.n_frames >= 10
        assert image.info["loop"] == 0


def test_the_readme_describes_the_whole_sentence(hero):
    assert hero[-1].alt_text == NAMES["hero"]


# --- How it is made


def test_the_signal_comes_back_from_the_last_word_to_the_subject(hero):
    front = [re.findall(r"\n(.*?): ", "\n".join(texts(picture))) for picture in hero]
    assert [len(set(words)) for words in front] == [1] * len(hero)
    assert front[0][0] == "cow" or front[0][0] == ","
    assert front[-2] == front[-1] == ["dogs"] * 3


def test_least_is_left_in_the_plain_network_and_most_where_the_gate_keeps(hero):
    said = hero[-1].alt_text
    assert re.search(r"plain RNN: 1 part in \d+ million; GRU, as PyTorch makes it: 1 part", said)
    assert "GRU whose gate keeps: about a third." in said


STEPS, LOSSES = np.arange(0, 50, 10), np.array([0.7, 0.7, 0.7, 0.7, 0.2])
SHARES = np.geomspace([1e-8, 1e-4, 0.3, 0.2, 0.8], 1, 6, axis=1)


@pytest.mark.parametrize(("until", "arrived"), [(1, False), (2, True), (4, True)])
def test_a_frame_shows_the_training_so_far_and_marks_when_the_signal_arrived(until, arrived):
    picture = animation.film_frame(STEPS, SHARES, LOSSES, until)
    above, below = picture.figure.axes
    np.testing.assert_array_equal(above.lines[until].get_ydata(), SHARES[until])
    np.testing.assert_array_equal(below.lines[0].get_ydata(), LOSSES[: until + 1])
    assert ("a tenth of the signal arrives" in texts(picture)) == arrived
    assert ("first reached it at step 20" in picture.alt_text) == arrived
    assert above.get_ylim()[0] < SHARES.min()


def test_pictures_become_frames_of_an_endless_animation(tmp_path):
    colours = ("#0072B2", "#D55E00", "#009E73")
    pictures = [Picture(card(2, 1), colour) for colour in colours]
    for picture, colour in zip(pictures, colours, strict=True):
        axes = picture.figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.fill_between([0, 1], 0, 1, color=colour)
    animation.write_gif(tmp_path / "a.gif", pictures)
    with Image.open(tmp_path / "a.gif") as image:
        assert (image.n_frames, image.size) == (3, (800, 400))
        times = []
        for frame in range(3):
            image.seek(frame)
            times.append(image.info["duration"])
        middle = image.convert("RGB").getpixel((400, 200))
    assert times == [animation.STEP_MS, animation.STEP_MS, animation.LAST_MS]
    assert middle == pytest.approx([255 * part for part in to_rgb(colours[-1])], abs=8)
