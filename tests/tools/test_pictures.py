"""tools.pictures: the README's pictures, made and stored."""

import re

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from helpers.figures.picture import Picture, card
from helpers.record import load_record
from tools import pictures

README = (pictures.ROOT / "README.md").read_text(encoding="utf-8")
SHOWN = {
    name: alt_text for alt_text, name in re.findall(r"!\[([^]]+)\]\(notebooks/([^)]+)\)", README)
}


@pytest.fixture(scope="module")
def hero():
    return pictures.hero()


def texts(picture):
    return [text.get_text() for axes in picture.figure.axes for text in axes.texts]


# --- What is stored


def test_the_readme_shows_every_picture_and_no_other():
    assert list(SHOWN) == list(pictures.MAKERS)


@pytest.mark.parametrize("name", ["hero.gif", "film.gif"])
def test_an_animation_loads_at_once_and_is_the_one_that_the_readme_describes(name):
    path = pictures.ROOT / "notebooks" / name
    assert path.stat().st_size < 600_000
    with Image.open(path) as image:
        assert image.width == pictures.WIDTH
        assert image.n_frames >= 10
        assert image.info["loop"] == 0
        assert image.info["comment"].decode() == SHOWN[name]


@pytest.mark.parametrize("name", ["scoreboard.png", "vanished.png"])
def test_a_still_picture_is_small_and_is_the_one_that_the_readme_describes(name):
    path = pictures.ROOT / "notebooks" / name
    assert path.stat().st_size < 150_000
    with Image.open(path) as image:
        assert image.width == 2 * pictures.WIDTH
        assert image.text["Description"] == SHOWN[name]


def test_the_readme_describes_the_whole_sentence(hero):
    assert hero[-1].alt_text == SHOWN["hero.gif"]


def test_the_stored_scoreboard_is_the_records():
    """If this fails the record has changed: python course.py pictures scoreboard.png."""
    assert pictures.scoreboard(load_record()).alt_text == SHOWN["scoreboard.png"]


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
    picture = pictures.film_frame(STEPS, SHARES, LOSSES, until)
    above, below = picture.figure.axes
    np.testing.assert_array_equal(above.lines[until].get_ydata(), SHARES[until])
    np.testing.assert_array_equal(below.lines[0].get_ydata(), LOSSES[: until + 1])
    assert ("a tenth of the signal arrives" in texts(picture)) == arrived
    assert ("first reached it at step 20" in picture.alt_text) == arrived
    assert above.get_ylim()[0] < SHARES.min()


@pytest.mark.slow
def test_less_of_the_signal_is_left_in_the_network_that_is_right():
    readings = pictures.forgotten()
    (before, guessed), (after, right) = readings.values()
    assert len(before) == len(after) == 1001
    assert before[0] == after[0] == 0
    assert after[-1] < np.log10(np.finfo(np.float64).smallest_subnormal)
    assert after[-1] < before[-1] - 50
    assert (guessed < 65, right > 95) == (True, True)


def test_a_vanished_signal_is_described_by_its_own_numbers():
    lines = {"one": (np.linspace(0, -400, 1001), 50.2), "two": (np.linspace(0, -600, 1001), 99.6)}
    picture = pictures.vanished(lines)
    assert "one: 10^-400 of the signal is left at the subject, and 50.2 % of" in picture.alt_text
    assert "two: 10^-600 of the signal is left at the subject, and 99.6 % of" in picture.alt_text
    (axes,) = picture.figure.axes
    np.testing.assert_array_equal(axes.lines[1].get_ydata(), lines["two"][0])


def test_a_named_picture_is_written_and_described_and_the_rest_left(tmp_path, monkeypatch, capsys):
    (tmp_path / "notebooks").mkdir()
    page = "# A\n\n![old](notebooks/a.png)\n\n![b](notebooks/b.png)\n"
    (tmp_path / "README.md").write_text(page, encoding="utf-8")
    monkeypatch.setattr(pictures, "MAKERS", {"a.png": lambda: [Picture(card(2, 1), "≈ 1 \\1")]})
    assert pictures.main(["a.png"], tmp_path) == 0
    written = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert written == page.replace("old", "≈ 1 \\1")
    with Image.open(tmp_path / "notebooks" / "a.png") as image:
        assert image.text["Description"] == "≈ 1 \\1"
    with pytest.raises(SystemExit):
        pictures.main(["c.png"], tmp_path)
    assert "no picture is named c.png; there are a.png" in capsys.readouterr().err


def test_pictures_become_frames_of_an_endless_animation(tmp_path):
    colours = ("#0072B2", "#D55E00", "#009E73")
    frames = [Picture(card(2, 1), colour) for colour in colours]
    for picture, colour in zip(frames, colours, strict=True):
        axes = picture.figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.fill_between([0, 1], 0, 1, color=colour)
    pictures.write_gif(tmp_path / "a.gif", frames)
    with Image.open(tmp_path / "a.gif") as image:
        assert (image.n_frames, image.size) == (3, (800, 400))
        times = []
        for frame in range(3):
            image.seek(frame)
            times.append(image.info["duration"])
        middle = image.convert("RGB").getpixel((400, 200))
    assert times == [pictures.STEP_MS, pictures.STEP_MS, pictures.LAST_MS]
    assert middle == pytest.approx([255 * part for part in to_rgb(colours[-1])], abs=8)
