"""A result as it is shown: in colour with a badge in words, the same text underneath."""

from __future__ import annotations

import re
from html import unescape

import pytest
from IPython.core.formatters import DisplayFormatter

from helpers import checks, claims
from helpers.checks import results
from helpers.networks import rnn_step


def own_step(x, h, W, U, b):
    return "<the course's own>"


def luminance(colour):
    """Relative luminance, by WCAG 2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    """Ratio of contrast of two colours, by WCAG 2."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(
    ("result", "badge"),
    [
        (checks.rnn_step(rnn_step), "right"),
        (checks.rnn_step(own_step), "not yet"),
        (checks.rnn_step(3), "not yet"),
        (checks.guess("share", 25, 8.53, unit="%"), "guess"),
        (checks.guess("share", None, 8.53, unit="%"), "guess"),
        (checks.guess("share", "?", 8.53, unit="%"), "not yet"),
    ],
)
def test_text_and_html_say_the_same(result, badge):
    shown, _ = DisplayFormatter().format(result)
    assert shown["text/plain"] == str(result)
    html = shown["text/html"]
    assert set(re.findall(r"[\w-]+=", html)) == {"style="}
    words = unescape(re.sub(r"<[^>]+>", " ", html)).split()
    assert " ".join(words) == f"{badge} {' '.join(str(result).split())}"


COLOURS = {results.GREEN, results.AMBER, results.BLUE, *claims.COLOURS.values()}


@pytest.mark.parametrize("colour", sorted(COLOURS))
def test_a_colour_is_seen_on_light_and_dark_pages_and_its_white_badge_is_read(colour):
    assert contrast(colour, "#ffffff") >= 4.5
    for dark in ("#111111", "#212121"):  # JupyterLab's dark theme: the page, a raised part
        assert contrast(colour, dark) >= 3


def test_the_learners_function_is_used_where_it_passed():
    passed, failed = checks.rnn_step(rnn_step), checks.rnn_step(own_step)
    assert passed.use(instead=own_step) is rnn_step
    assert "course's own" not in str(passed)
    assert failed.use(instead=rnn_step) is rnn_step
    assert failed.use(instead=rnn_step) is rnn_step
    assert str(failed).count("Until yours is right, the cells below use the course's own.") == 1
