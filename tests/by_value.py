"""Compare a notebook's printed numbers by their value, and all its other words exactly.

A number after "≈" may differ by 5 %, or by one in the last of its two or more digits; one after
"~" by a factor of 3. An exponent of ten after either sign may differ by 1 or by 5 %. Seconds
after "~" need only be there. Of a picture the title is compared, which its plain text holds; what
stands over a folded output is not.
"""

from __future__ import annotations

import math
import re

PLAIN = r"[-+−]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?(?<=\d)(?:e[-+]?\d+)?"
MARKED = re.compile(rf"(?P<sign>[≈~]) ?(?P<number>10\^[-−]?\d+|{PLAIN})(?P<seconds> s\b)?")
UNSEEN = re.compile(r'<img class="course-picture"[^>]*>|<!--.*?-->\n')


def without_numbers(text: str) -> str:
    """Put the sign alone in place of each marked number, and one blank for several."""
    return re.sub(r"[ \t]+", " ", MARKED.sub(r"\g<sign>\g<seconds>", text))


def value(number: str) -> float:
    """Read a number as a notebook prints it: "17,400", ".31", "1.3e-5", "−2"."""
    return float(number.replace(",", "").replace("−", "-"))


def log10(number: str) -> float:
    """Read the exponent of a power of ten, or the logarithm of a plain number."""
    if number.startswith("10^"):
        return value(number[3:])
    return math.log10(value(number)) if value(number) > 0 else math.nan


def near(sign: str, one: str, other: str) -> bool:
    """Whether two numbers printed after the sign count as the same."""
    if "10^" in (one[:3], other[:3]):
        a, b = log10(one), log10(other)
        return abs(a - b) <= max(1, 0.05 * max(abs(a), abs(b)))
    a, b = value(one), value(other)
    if a == b:
        return True
    if sign == "~":
        return a * b > 0 and max(a / b, b / a) <= 3
    distance, size = abs(a - b), max(abs(a), abs(b))
    return distance <= 0.05 * size or distance <= 1.01 * max(last_digit(one), last_digit(other))


def last_digit(number: str) -> float:
    """Return what one in the last of a number's digits is worth; 0 for a number of one digit."""
    digits, _, exponent = number.replace(",", "").partition("e")
    if len(re.sub(r"\D", "", digits).lstrip("0")) < 2:
        return 0.0
    decimals = len(digits.partition(".")[2])
    return 10.0 ** (int(exponent or 0) - decimals)


def same(reference: str, output: str) -> bool:
    """Whether an output says what the stored one says, its marked numbers taken by value."""
    reference, output = UNSEEN.sub("", reference), UNSEEN.sub("", output)
    if without_numbers(reference) != without_numbers(output):
        return False
    pairs = zip(MARKED.finditer(reference), MARKED.finditer(output), strict=True)
    return all(
        one["seconds"] or near(one["sign"], one["number"], other["number"]) for one, other in pairs
    )


class ByValue(str):
    """Text that equals another by `same`; nbval compares what its cells printed with != ."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and same(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__
