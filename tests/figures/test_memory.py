"""helpers.figures.memory: what is drawn and said, against the numbers put in."""

import numpy as np
import pytest

from helpers.figures import cobwebs, trace, trade_off


def test_trace_says_when_each_unit_switches_on():
    states = np.array([[-1, -1, -1], [1, -1, -1], [1, 1, -1], [1, -1, -1]])
    picture = trace([",", "the", "cat", "ate"], states, ("a", "s", "p"), subject=2, title="T")
    assert "a: on at word 2, 'the', and stays on." in picture.alt_text
    assert "s: on at word 3, 'cat', for 1 word." in picture.alt_text
    assert "p: off at every word." in picture.alt_text


def test_cobwebs_find_the_fixed_points():
    picture = cobwebs((0.5, 2.0), (0.3,), title="T")
    assert "w = 0.5: states come to rest at 0.00" in picture.alt_text
    assert "w = 2: states come to rest at -0.96 and 0.96" in picture.alt_text
    assert np.tanh(2 * 0.9575) == pytest.approx(0.9575, abs=1e-4)
    start, *_, end = picture.figure.axes[1].lines[2].get_xdata()
    assert (start, end) == (0.3, pytest.approx(0.9575, abs=1e-3))


def test_trade_off_draws_every_unit_where_it_belongs():
    picture = trade_off({1.0: (0.5, -38.0), 1.5: (1.0, -401.0)}, {"gated": (1.0, -0.4)}, title="T")
    assert "w = 1: 50 % held, 10^-38; w = 1.5: 100 % held, 10^-401; gated:" in picture.alt_text
    (axes,) = picture.figure.axes
    assert tuple(map(list, axes.lines[0].get_data())) == ([50, 100], [-38, -401])
