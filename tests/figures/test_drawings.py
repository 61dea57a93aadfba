"""helpers.figures.drawings: what stands in them, and that nothing leaves the card."""

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from helpers.figures import first_aid, gru_cell, unrolled
from helpers.figures.drawings import FIRST_AID

WORDS = ["the", "cats", ",", "which", "ate"]


def texts(picture):
    return [text.get_text() for text in picture.figure.axes[0].texts]


def test_unrolled_has_a_state_for_each_word_and_a_factor_between_any_two():
    picture = unrolled(WORDS, verb="were")
    assert sum(text.startswith("$h_") for text in texts(picture)) == 5
    assert sum(text.startswith("$J_") for text in texts(picture)) == 4
    assert "4 Jacobians" in picture.alt_text


def test_the_gru_has_its_gates_and_both_names_of_each():
    found = texts(gru_cell())
    assert {"$z$", "$r$", "$n$", "keeps", "$1 - z$ writes", "Ng: $1 - \\Gamma_u$"} <= set(found)
    assert sum(text.startswith("Ng: ") for text in found) == 5


def test_first_aid_tells_each_step_in_picture_and_alt_text():
    picture = first_aid()
    seen = " ".join(texts(picture)).replace("\n", " ")
    for symptom, _, steps in FIRST_AID:
        for text in (symptom.replace("\n", " "), *steps):
            assert text in seen
            assert text in picture.alt_text


@pytest.mark.parametrize("draw", [gru_cell, first_aid, lambda: unrolled(WORDS * 2, verb="were")])
def test_nothing_leaves_the_card(draw):
    figure = draw().figure
    renderer = FigureCanvasAgg(figure).get_renderer()
    boxes = [text.get_window_extent(renderer) for text in figure.axes[0].texts]
    assert min(min(box.x0, box.y0) for box in boxes) > 0
    assert max(box.x1 for box in boxes) < figure.bbox.width
    assert max(box.y1 for box in boxes) < figure.bbox.height
