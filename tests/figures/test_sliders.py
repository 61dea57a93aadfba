"""helpers.figures.sliders: the plain callbacks, the frames, and the widgets without a browser."""

import numpy as np
import pytest
import torch
from ipywidgets import HTML, SelectionSlider

from helpers import figures, networks
from helpers.figures import SLIDERS, frames, strip_at_gap
from helpers.figures.picture import Picture, card, stored
from helpers.figures.sliders import cliff_at, slider, strip_at_bias
from helpers.measure import cliff
from helpers.measure.signal import signal
from helpers.task.agreement import AgreementTask


@pytest.mark.parametrize("gap", [3, 12, 60])
def test_the_strip_ends_at_the_verb_on_axes_that_stay(gap):
    picture = strip_at_gap(gap)
    task = AgreementTask(gap, seed=0)
    sentence = task.sentence()
    model = networks.rnn_classifier(len(task.vocabulary), seed=0).double()
    tokens = torch.tensor(task.vocabulary.encode(sentence.words))[None]
    (axes,) = picture.figure.axes
    line, subject = axes.lines
    steps = len(sentence.words)
    np.testing.assert_array_equal(line.get_xdata(), np.arange(-steps, 0))
    np.testing.assert_allclose(line.get_ydata(), np.log10(signal(model, tokens)[0]), rtol=1e-9)
    assert subject.get_xdata()[0] == -gap - 1
    assert (axes.get_xlim(), axes.get_ylim()) == ((-67, 1), (-28, 2))
    assert steps <= 67
    named = {text.get_position()[0]: text.get_text() for text in axes.texts if text.get_text()}
    assert (named[-gap - 1], named[0]) == (sentence.words[sentence.subject], sentence.verb)
    assert f"gap {gap}. Left of the verb's signal at the subject, " in picture.alt_text
    assert f"{sentence.words[sentence.subject]}: 1 part in" in picture.alt_text


def test_a_larger_bias_carries_more_to_the_subject():
    arrived = []
    for bias in (-1.0, 0.0, 2.0, 6.0):
        picture = strip_at_bias(bias)
        assert f"bias {bias:g} " in picture.alt_text
        line, subject = picture.figure.axes[0].lines
        arrived.append(subject.get_ydata()[0] - line.get_ydata()[-1])
    assert arrived == sorted(arrived)
    assert arrived[0] < -10
    assert arrived[-1] > -1


def test_the_cliff_is_descended_from_one_start_without_and_with_clipping():
    left = cliff_at(0.2).figure.axes[0]
    lines = {line.get_label(): line.get_xydata() for line in left.lines}
    for name, max_norm in (("not clipped", None), ("clipped at 0.2", 0.2)):
        path = cliff.descend((6.0, -2.0), 10.0, 60, max_norm)
        np.testing.assert_array_equal(lines[name], path.points)


@pytest.mark.parametrize("name", SLIDERS)
def test_a_slider_starts_where_it_should_and_both_its_ends_can_be_drawn(name):
    draw, choices = SLIDERS[name]
    *sliders, image = getattr(figures, f"{name}_slider")().children
    start = {argument: first for argument, (_, first) in choices.items()}
    assert {each.description: each.value for each in sliders} == start
    assert stored(image.value).alt_text == draw(**start).alt_text
    ends = [draw(**{each: of[end] for each, (of, _) in choices.items()}) for end in (0, -1)]
    assert ends[0].alt_text != ends[1].alt_text


def test_frames_are_the_sliders_pictures():
    made = frames("bias", bias=[0.0, 4.0])
    assert [frame.values for frame in made] == [{"bias": 0.0}, {"bias": 4.0}]
    assert [frame.caption for frame in made] == [strip_at_bias(b).alt_text for b in (0.0, 4.0)]
    assert made[1].png == strip_at_bias(4.0).png()


def test_each_slider_sets_its_own_argument_and_draws_each_value_once_while_it_is_dragged():
    drawn = []

    def draw(gain, steps):
        drawn.append((gain, steps))
        return Picture(card(2, 1), f'a line to "{gain * steps}" & <no further>')

    first, second, image = slider(
        draw, {"gain": ([0.5, 1.0, 2.0], 1.0), "steps": ([10, 100], 10)}
    ).children
    first.value = 2.0
    second.value = 100
    first.value, first.value = 1.0, 2.0
    assert drawn == [(1.0, 10), (2.0, 10), (2.0, 100), (1.0, 100)]
    assert [label for label, _ in first.options] == ["0.5", "1", "2"]
    assert all(
        isinstance(each, SelectionSlider) and each.continuous_update for each in (first, second)
    )
    assert isinstance(image, HTML)
    assert image.layout.min_height == "100px"
    assert stored(image.value).alt_text == 'a line to "200.0" & <no further>'
