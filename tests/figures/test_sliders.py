"""helpers.figures.sliders: the plain callback, and the widgets without a browser."""

import warnings

import numpy as np
import pytest
import torch
from ipywidgets import HTML, SelectionSlider

from helpers.figures import picture as pictures
from helpers.figures.picture import Picture, stored
from helpers.figures.sliders import (
    STEP_COUNTS,
    bias_slider,
    cliff_at,
    cliff_slider,
    gap_slider,
    phase_at,
    phase_slider,
    picture_sliders,
    strip_at_bias,
    strip_at_gap,
)
from helpers.measure import mean_field
from helpers.measure.signal import signal
from helpers.networks import classifiers as models
from helpers.task.agreement import AgreementTask


def opened(tag):
    """The bytes and the alt text of an image tag."""
    alt_text, _, png = stored(tag)
    return png, alt_text


def numbered(value):
    """A picture that costs little and tells its value."""
    figure, axes = pictures.canvas(2, 1)
    axes.plot([0, value])
    return Picture(figure, f'a line to "{value}" & <no further>')


class TestStrip:
    @pytest.mark.parametrize("gap", [3, 12, 60])
    def test_draws_the_signal_of_its_sentence(self, gap):
        picture = strip_at_gap(gap)
        sentence = AgreementTask(gap, seed=0).sentence()
        assert sentence.gap == gap
        model = models.rnn_classifier(len(AgreementTask(gap).vocabulary), seed=0).double()
        tokens = torch.tensor(AgreementTask(gap).vocabulary.encode(sentence.words))[None]
        (axes,) = picture.figure.axes
        line = axes.lines[0]
        np.testing.assert_array_equal(line.get_xdata(), np.arange(len(sentence.words)))
        expected = np.log10(signal(model, tokens)[0])
        np.testing.assert_allclose(line.get_ydata(), expected, rtol=1e-12, atol=1e-12)
        assert f"Gap {gap}" in axes.get_title(loc="left")
        assert f"at the subject '{sentence.words[sentence.subject]}'" in picture.alt_text

    def test_is_the_same_each_time(self):
        first, again = strip_at_gap(5), strip_at_gap(5)
        assert first.png() == again.png()
        assert first.alt_text == again.alt_text

    @pytest.mark.parametrize("gap", [2, 0, -1, 10_001, 5.0, None, "12"])
    def test_no_gap(self, gap):
        with pytest.raises(ValueError, match=r"^gap must be"):
            strip_at_gap(gap)


class TestGapSlider:
    def test_is_a_slider_above_the_strip(self):
        slider, image = gap_slider().children
        assert isinstance(slider, SelectionSlider)
        assert [value for _, value in slider.options] == list(range(3, 61))
        assert slider.value == 12
        assert slider.description == "gap"
        assert not slider.continuous_update
        assert isinstance(image, HTML)
        assert opened(image.value) == (strip_at_gap(12).png(), strip_at_gap(12).alt_text)

    def test_moving_it_changes_picture_and_alt_text_together(self):
        slider, image = gap_slider().children
        seen = []
        image.observe(lambda change: seen.append(opened(change["new"])), names="value")
        slider.value = 7
        assert seen == [(strip_at_gap(7).png(), strip_at_gap(7).alt_text)]
        slider.value = 7
        assert len(seen) == 1

    def test_both_ends_can_be_drawn(self):
        slider, image = gap_slider(3, 20).children
        for end in (3, 20):
            slider.value = end
            assert f"Gap {end}:" in opened(image.value)[1]

    def test_a_range_without_12_starts_at_its_nearer_end(self):
        for bounds, start in (((20, 30), 20), ((3, 6), 6)):
            slider, image = gap_slider(*bounds).children
            assert slider.value == start
            assert f"Gap {start}:" in opened(image.value)[1]

    @pytest.mark.parametrize("bounds", [(2, 60), (3, 10_001), (3.5, 60), (60, 3), (None, 60)])
    def test_no_range(self, bounds):
        with pytest.raises(ValueError, match=r"^gap"):
            gap_slider(*bounds)

    def test_two_sliders_do_not_disturb_each_other(self):
        (first, image), (_, other) = gap_slider().children, gap_slider().children
        before = other.value
        first.value = 5
        assert other.value == before != image.value


class TestBias:
    def test_a_larger_bias_carries_more_to_the_subject(self):
        arrived = []
        for bias in (-1.0, 0.0, 2.0, 6.0):
            picture = strip_at_bias(bias)
            assert f"Bias {bias:g} " in picture.alt_text
            values = picture.figure.axes[0].lines[0].get_ydata()
            subject = AgreementTask(40, seed=0).sentence().subject
            arrived.append(values[subject] - values[-1])
        assert arrived == sorted(arrived)
        assert arrived[0] < -10
        assert arrived[-1] > -1

    def test_slider_starts_at_no_bias(self):
        slider, image = bias_slider().children
        assert slider.value == 0.0
        slider.value = 4.0
        assert opened(image.value) == (strip_at_bias(4.0).png(), strip_at_bias(4.0).alt_text)

    def test_no_bias(self):
        with pytest.raises(ValueError, match="bias"):
            strip_at_bias(float("nan"))


class TestPhase:
    def test_draws_the_theorys_factor_to_the_power_of_the_steps(self):
        picture = phase_at(2.0, 100)
        left, right = picture.figure.axes[:2]
        growth, input_stds = right.lines[0].get_data()
        expected = [100 * np.log10(mean_field.mean_field_factor(2.0, s)) for s in input_stds]
        np.testing.assert_allclose(growth, expected)
        gains, stds = left.lines[0].get_data()
        assert gains[0] == 1.0
        assert gains[-1] == pytest.approx(mean_field.critical_gain(stds[-1]))
        assert "at gain 2 it grows by 10^7 at input std 0" in picture.alt_text

    @pytest.mark.parametrize(("gain", "steps"), [(2.1, 10), (0, 10), (None, 10), (2.0, 0)])
    def test_no_gain_or_steps(self, gain, steps):
        with pytest.raises(ValueError, match="must be"):
            phase_at(gain, steps)

    def test_the_slider_starts_at_the_static_picture_and_moves_both_ways(self):
        gain, steps, image = phase_slider().children
        assert (gain.description, steps.description) == ("gain", "steps")
        assert [value for _, value in steps.options] == list(STEP_COUNTS)
        assert opened(image.value) == (phase_at(2.0, 100).png(), phase_at(2.0, 100).alt_text)
        steps.value = 1000
        gain.value = 0.5
        assert opened(image.value)[1] == phase_at(0.5, 1000).alt_text


class TestCliff:
    def test_starts_at_the_static_picture_and_moves_both_ways(self):
        slider, image = cliff_slider().children
        assert slider.description == "threshold"
        assert opened(image.value) == (cliff_at(0.1).png(), cliff_at(0.1).alt_text)
        for threshold in (slider.options[0][1], 0.6):
            slider.value = threshold
            assert opened(image.value)[1] == cliff_at(threshold).alt_text


class TestPictureSliders:
    def test_draws_once_a_value(self):
        drawn = []
        slider, _ = picture_sliders(
            lambda x: drawn.append(x) or numbered(x), x=(range(10), 4)
        ).children
        assert drawn == [4]
        slider.value = 6
        assert drawn == [4, 6]

    def test_each_slider_sets_its_own_argument(self):
        drawn = []
        first, second, image = picture_sliders(
            lambda gain, steps: drawn.append((gain, steps)) or numbered(gain * steps),
            gain=([0.5, 1.0, 2.0], 1.0),
            steps=([10, 100, 1000], 10),
        ).children
        assert (first.description, second.description) == ("gain", "steps")
        first.value = 2.0
        second.value = 100
        assert drawn == [(1.0, 10), (2.0, 10), (2.0, 100)]
        assert opened(image.value)[1] == numbered(200.0).alt_text
        assert [label for label, _ in first.options] == ["0.5", "1", "2"]

    def test_a_start_that_cannot_be_chosen(self):
        with pytest.raises(ValueError, match=r"^gain must start at one of \[1, 2\]; got 3"):
            picture_sliders(numbered, gain=([1, 2], 3))

    def test_without_a_warning(self):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            picture_sliders(numbered, value=(range(10), 4))

    def test_alt_text_survives_quotes_and_brackets(self):
        tag = numbered(3).tag()
        assert opened(tag) == (numbered(3).png(), 'a line to "3" & <no further>')
