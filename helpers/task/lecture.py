"""The lecture's own examples: the cat and the cats, the children's book, the clouds, France."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from helpers.task.agreement import Sentence, Vocabulary
from helpers.validation import Array, integer

MINIMAL_PAIR = (
    Sentence(("the", "cat", ",", "which", "already", "ate", ","), 1, "was"),
    Sentence(("the", "cats", ",", "which", "already", "ate", ","), 1, "were"),
)
LONG_WORDS = (
    "the cats , which already ate and then slept behind the dog that followed the old fox "
    "near the horse ,"
)
LONG_SENTENCE = Sentence(tuple(LONG_WORDS.split()), 1, "were")

BOOK_NAMES = ("doug", "jane", "spot")
BOOK_WORDS = (*BOOK_NAMES, "saw", ".")

CLOUDS_AND_SKY = {
    "clouds": "sky",
    "fish": "sea",
    "cows": "meadow",
    "pots": "kitchen",
    "camels": "desert",
    "bees": "hive",
    "actors": "theatre",
    "pupils": "classroom",
}

LANGUAGES = {
    "france": "french",
    "germany": "german",
    "greece": "greek",
    "italy": "italian",
    "japan": "japanese",
    "sweden": "swedish",
}
CHILDHOOD = tuple(
    tuple(clause.split())
    for clause in (
        "time passed .",
        "we laughed .",
        "it often rained .",
        "we kept bees .",
        "my father baked bread .",
        "i walked to school .",
        "we lived by a river .",
        "my mother taught music there .",
        "our house had a red door .",
        "every summer we swam in the lake .",
        "my brother and i slept under the roof .",
    )
)
LAST_WORDS = ((), ("today",), ("even", "now"))
BEFORE, AFTER = ("i", "grew", "up", "in"), ("i", "speak", "fluent")


def childrens_book(sentences: int, seed: int = 0) -> list[str]:
    """Return the 4 * sentences words of a book: "jane saw spot . doug saw jane ." and so on.

    Both names of a sentence are drawn evenly and differ. seed: of a generator of its own.
    """
    rng = np.random.default_rng(seed)
    words: list[str] = []
    for _ in range(sentences):
        seer, seen = rng.choice(BOOK_NAMES, size=2, replace=False).tolist()
        words += [seer, "saw", seen, "."]
    return words


def surprise(words: Sequence[str], back: int) -> float:
    """Return the bits a word that the best model with so short a memory pays for a text.

    back: how many words before the next one it sees. The model knows how often each word
    follows each row of `back` words in this text: 0 is certainty, 1 the toss of a coin.
    Returns the cross-entropy to base 2, averaged over the words that have so many before them.
    Raises ValueError if back is below 1 or the text no longer than that.
    Source: Shannon 1951, "Prediction and entropy of printed English".
    """
    integer("back", back, minimum=1, maximum=len(words) - 1)
    seen = [tuple(words[t - back : t + 1]) for t in range(back, len(words))]
    rows, pasts = Counter(seen), Counter(row[:-1] for row in seen)
    return -float(np.mean([np.log2(rows[row] / pasts[row[:-1]]) for row in seen]))


def clouds_and_sky() -> tuple[tuple[tuple[str, ...], str], ...]:
    """Return sentences that a short memory completes, as pairs of five words and the last one.

    "the clouds are in the", "sky": the second word decides, and the last ones all differ.
    """
    return tuple((("the", noun, "are", "in", "the"), last) for noun, last in CLOUDS_AND_SKY.items())


class CountryTask:
    """Which language comes last: "i grew up in france . ... i speak fluent french".

    gap: the number of words between the country and "i speak fluent", from 3 up; full
    stops count. They are clauses of a childhood, and name no country or language.
    seed: of the task's own generator.
    Raises ValueError if the gap is below 3 or above 10,000, or the seed below 0.
    """

    def __init__(self, gap: int, seed: int = 0) -> None:
        self.gap = integer("gap", gap, minimum=3, maximum=10_000)
        self._rng = np.random.default_rng(integer("seed", seed, minimum=0))
        self.languages = tuple(LANGUAGES.values())
        middle = {word for part in (*CHILDHOOD, *LAST_WORDS) for word in part}
        self.vocabulary = Vocabulary(tuple(sorted({*BEFORE, *AFTER, *LANGUAGES, *middle})))

    def batch(self, n: int) -> tuple[Tensor, Tensor]:
        """Tokens (n, gap + 8) and labels (n,), the index in `languages` of the last word.

        Both are int64. Languages are balanced: their counts differ by at most 1.
        """
        labels = self._rng.permutation(np.arange(n) % len(LANGUAGES))
        countries = tuple(LANGUAGES)
        rows = [
            self.vocabulary.encode((*BEFORE, countries[label], *self._middle(), *AFTER))
            for label in labels
        ]
        return torch.from_numpy(np.stack(rows)), torch.from_numpy(labels)

    def _middle(self) -> list[str]:
        """Exactly `gap` words: a full stop, clauses, and at most two words before the end."""
        middle = ["."]
        clause: tuple[str, ...] = ()
        while (left := self.gap - len(middle)) > len(LAST_WORDS) - 1:
            fitting = [c for c in CHILDHOOD if len(c) <= left and c is not clause]
            clause = fitting[self._rng.integers(len(fitting))]
            middle += clause
        return [*middle, *LAST_WORDS[self.gap - len(middle)]]


class Task(Protocol):
    """Anything that gives labelled sentences over a vocabulary: both tasks of the course."""

    vocabulary: Vocabulary

    def batch(self, n: int) -> tuple[Tensor, Tensor]: ...


def bag_of_words_accuracy(task: Task, fresh: Task | None = None) -> float:
    """Return how many sentences a linear readout of the word counts gets right, as a share.

    Least squares on 2,000 sentences from task (counts and a constant against one-hot
    labels), largest output wins, on 1,000 sentences from fresh, or further ones from task.
    """
    counts, labels = _bags(task, 2000)
    weights, *_ = np.linalg.lstsq(counts, np.eye(labels.max() + 1)[labels], rcond=None)
    counts, truth = _bags(fresh or task, 1000)
    return float(np.mean((counts @ weights).argmax(axis=1) == truth))


def _bags(task: Task, sentences: int) -> tuple[Array, Array]:
    """Return how often each word occurs and a column of ones (sentences, V + 1), and the labels.

    Drawn fifty at a time: a task's layout may differ from batch to batch.
    """
    size = len(task.vocabulary)
    batches = [task.batch(50) for _ in range(sentences // 50)]
    rows = [row for tokens, _ in batches for row in tokens.numpy()]
    counts = np.array([np.bincount(row, minlength=size) for row in rows], float)
    labels = np.concatenate([each.numpy() for _, each in batches])
    return np.column_stack([counts, np.ones(len(counts))]), labels
