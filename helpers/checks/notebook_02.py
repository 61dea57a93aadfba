"""Exercises of notebook 02: a sentence that fools the latch, and the weight of one unit."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from helpers.checks.attempt import attempt
from helpers.checks.compare import number
from helpers.checks.registry import exercise
from helpers.checks.results import FAILED, WRONG_VALUES, Verdict
from helpers.figures.picture import about, size
from helpers.networks.classifiers import latch_classifier
from helpers.task.lexicon import VERBS, lexicon, vocabulary, word_classes, word_numbers

SMALLEST_GAP = 3
UNDECIDED = 0.1  # difference of the two logits below which the latch says nothing
NOISE, STEPS, UNITS = 0.2, 1000, 2000  # of the unit whose w is chosen
LEAST_HELD, LEAST_LEFT = 0.95, -450  # share of the bits; power of ten of the gradient

# A sentence by the kinds of its words: T the, A adjective, N noun, R which or that, V and I verbs
# with and without an object, E and L adverbs before and after one, P preposition, C and, S then.
NOUN = "TA*N"
PLACE, DID = f"P{NOUN}", f"E?(?:V{NOUN}|I)"
CLAUSE, AND = f"R(?:{DID}|{NOUN}E?V)", f"CS?{DID}"
LOOSE = f"{PLACE}|E*L"
MIDDLE = f"(?:,?(?:{LOOSE}))*(?:,?{CLAUSE}(?:,?(?:{LOOSE}|{CLAUSE}|{AND}))*)?,?"
SENTENCE = re.compile(f"(?:{PLACE}{MIDDLE},)?TA*(?P<subject>N)(?P<middle>{MIDDLE})")
BROKEN = (  # where a row of kinds holds this, it is no sentence
    ("TA*(?![AN])", "After a 'the' there is no noun."),
    ("(?<![TA])N", "A noun comes without its 'the'."),
    ("CTA*N", "'and' joins two nouns: two subjects ask for 'were' whatever each of them is."),
    ("^,", "A comma comes first."),
    ("IT", "{!r} takes no object among the latch's words; 'saw' does."),
    ("^[^VIPL]*$", "Nothing is said of the subject before its verb: no other verb, no place."),
)


@exercise("02", 1, "Fool the latch", points=3, minutes=10, difficulty=2)
def fool_the_latch(answer: Any) -> str:
    """Check a function that returns (words, verb), put to the hand-set latch."""
    words, verb = attempt(answer, [{}], _sentence)[0].value
    subject = _subject(words)
    if lines := _refusal(words, subject, verb):
        raise Verdict(WRONG_VALUES, *lines, head="not yet a sentence for the latch")
    tokens = torch.tensor(vocabulary().encode(words))[None]
    with torch.no_grad():
        margin = float(np.diff(latch_classifier(word_classes())(tokens)[0])[0])
    if abs(margin) < UNDECIDED:
        return (
            "The latch gives both verbs the same score: nothing was written into it.\n"
            "A harder one, if you like: a sentence that makes it sure of the wrong verb."
        )
    said = VERBS[int(margin > 0)]
    if said == verb:
        raise Verdict(
            WRONG_VALUES,
            f"The latch says {said!r}, and so do you: it is right on this sentence.",
            "Which word switches its first unit on? Which noun does it take then?",
            head="the latch withstood it",
        )
    return f"The latch is sure of {said!r}, and {words[subject]!r} asks for {verb!r}."


def _sentence(value: Any) -> tuple[list[str], str]:
    if not isinstance(value, (list, tuple)) or len(value) != 2 or not isinstance(value[1], str):
        raise Verdict(FAILED, "Return two things: the list of words, and the verb as a string.")
    words, verb = value
    words = words.replace(",", " , ").split() if isinstance(words, str) else list(words)
    if not all(isinstance(word, str) for word in words):
        raise Verdict(FAILED, "The words must be a list of strings, a comma being one of them.")
    return [word.lower() for word in words], verb.lower()


@functools.cache
def _kinds() -> dict[str, str]:
    """The letter of each word's kind in SENTENCE."""
    words = lexicon()
    adjectives = (*words.adjectives, *words.colours)
    kinds = {"T": ["the"], ",": [","], "A": adjectives, "N": word_numbers(), "R": words.relatives,
             "V": words.transitive, "I": words.intransitive, "E": words.early_adverbs,
             "L": words.late_adverbs, "P": words.prepositions, "C": words.connectors,
             "S": words.sequels}  # fmt: skip
    return {word: letter for letter, its in kinds.items() for word in its}


def _opener(words: Sequence[str]) -> int:
    """How many words an opener takes, with its comma; 0 without one."""
    openers = itertools.chain.from_iterable(lexicon().openers.values())
    lengths = (len(each) + 1 for each in openers if (*each, ",") == tuple(words[: len(each) + 1]))
    return next(lengths, 0)


def _subject(words: Sequence[str]) -> int | None:
    """Place of the subject; None if the words are no sentence, as far as a grammar can tell."""
    start = _opener(words)
    found = SENTENCE.fullmatch("".join(_kinds().get(word, "?") for word in words[start:]))
    return start + found.start("subject") if found and found["middle"].strip(",") else None


def _broken(words: Sequence[str]) -> str:
    """What is wrong with a row of words that are no sentence."""
    for place, (before, word) in enumerate(itertools.pairwise(words)):
        if word == before:
            return f"{word!r} comes twice in a row, at words {place + 1} and {place + 2}."
    kinds = "".join(_kinds().get(word, "?") for word in words)
    for pattern, says in BROKEN:
        if found := re.search(pattern, kinds):
            return says.format(words[found.start()] if words else "")
    return "The words do not make a sentence that this check can read."


def _refusal(words: Sequence[str], subject: int | None, verb: str) -> list[str]:
    """Why the sentence is none that the claim is about; [] if it is one."""
    for word in words:
        if word in VERBS:
            return [f"Leave {word!r} out of the words: the verb comes after the last one."]
        if word not in vocabulary().words:
            return [f"{word!r} is not among the words the latch knows: see vocabulary.words."]
    if verb not in VERBS:
        return [f"The verb must be 'was' or 'were'; yours is {verb!r}."]
    if subject is None:
        return [
            _broken(words),
            "It reads: an opener and a comma if you like, the subject ('the', perhaps adjectives,",
            "a noun), then phrases such as 'near the dogs' or 'which often saw the dogs'.",
        ]
    noun, gap = words[subject], len(words) - subject - 1
    if gap < SMALLEST_GAP:
        return [f"The gap after {noun!r} is {gap}; it must be {SMALLEST_GAP} or more."]
    number = word_numbers()[noun]
    if verb != VERBS[number == "plural"]:
        return [f"The subject {noun!r} is {number}: {verb!r} does not agree with it."]
    return []


def held_by(w: float) -> tuple[float, float]:
    """Return the share of bits that units h <- tanh(w h + noise) hold, and what it costs.

    The cost is the median power of ten to which the gradient has shrunk after STEPS steps.
    """
    rng = np.random.default_rng(0)
    h, log_gradient = np.full(UNITS, 0.9), np.zeros(UNITS)
    for _ in range(STEPS):
        h = np.tanh(w * h + rng.normal(0, NOISE, UNITS))
        log_gradient += np.log10(w * (1 - h) * (1 + h))
    return float((h > 0).mean()), float(np.median(log_gradient))


@exercise("02", 2, "Choose w", points=2, minutes=5, difficulty=2)
def choose_w(answer: Any) -> str:
    """Check a function that returns w: the bits that it holds, the gradient that it leaves."""
    w = attempt(answer, [{}], number)[0].value
    if not 0 < w <= 20:
        turns = ["A negative w turns the sign round at every step."] if w < 0 else []
        seen = f"w is {w:g}; choose one between 0 and 20."
        raise Verdict(WRONG_VALUES, seen, *turns, head="not a w to choose")
    held, powers = held_by(w)
    seen = (
        f"w = {w:g} holds {about(100 * held)} % of the bits and leaves "
        f"{size(powers, log10=True)} of the gradient."
    )
    if held < LEAST_HELD:
        pulls = "This w pulls the state back too weakly for the noise."
        raise Verdict(WRONG_VALUES, seen, pulls, head="bits are lost")
    if powers < LEAST_LEFT:
        milder = "A gentler slope would still hold enough of them."
        raise Verdict(WRONG_VALUES, seen, milder, head="a higher price than needed")
    return f"{seen}\nA firmer hold, a smaller gradient: one knob turns both."
