"""The hand-written evaluation set, and a model's accuracy on it.

data/evaluation.tsv holds one sentence a row, tab-separated: its words up to the one
before the verb (space-separated, commas are words), the index of its subject noun
(from 0), its verb and its predicate.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from helpers.task.agreement import VERBS, Sentence
from helpers.task.lexicon import NUMBERS, Vocabulary, word_numbers

PATH = Path(__file__).resolve().parents[2] / "data" / "evaluation.tsv"


class EvaluationScores(NamedTuple):
    """Shares of right verbs, from 0 to 1: over all sentences, and by number of attractors."""

    accuracy: float
    by_attractors: dict[int, float]


def load_evaluation() -> tuple[Sentence, ...]:
    """Return the sentences of the evaluation set."""
    with PATH.open(encoding="utf-8", newline="") as file:
        return tuple(_sentence(**row) for row in csv.DictReader(file, delimiter="\t"))


@torch.no_grad()
def evaluation_accuracy(
    model: Callable[[Tensor], Tensor], vocabulary: Vocabulary, sentences: Sequence[Sentence]
) -> EvaluationScores:
    """Run a model on sentences of different lengths, those of one length as one batch.

    model: takes tokens (n, steps), gives logits (n, 2), was before were.
    Raises ValueError if a word is not in the vocabulary.
    """
    by_length: dict[int, list[Sentence]] = defaultdict(list)
    for sentence in sentences:
        by_length[len(sentence.words)].append(sentence)
    right: dict[int, list[bool]] = defaultdict(list)
    for group in by_length.values():
        tokens = torch.tensor(np.stack([vocabulary.encode(each.words) for each in group]))
        for sentence, said in zip(group, model(tokens).argmax(dim=1).tolist(), strict=True):
            right[sentence.attractors].append(VERBS[said] == sentence.verb)
    by_attractors = {count: sum(each) / len(each) for count, each in sorted(right.items())}
    return EvaluationScores(sum(map(sum, right.values())) / len(sentences), by_attractors)


def _sentence(words: str, subject: str, verb: str, predicate: str) -> Sentence:
    """A row as a sentence; attractors are nouns of the other number after the subject."""
    place, tokens = int(subject), tuple(words.split(" "))
    number = NUMBERS[VERBS.index(verb)]
    attractors = sum(word_numbers().get(word, number) != number for word in tokens[place + 1 :])
    return Sentence(tokens, place, verb, attractors, predicate)
