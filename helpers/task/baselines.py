"""What no learning gets right: one verb for all, and two rules of thumb.

Each rule maps tokens (n, steps) to predicted labels (n,), 0 for "was" and 1 for "were".
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from helpers.task.lexicon import NUMBERS, Vocabulary, word_numbers
from helpers.validation import Array

NO_NOUN = -1


def majority(tokens: Tensor, vocabulary: Vocabulary) -> Tensor:
    """Say "was" every time, labels (n,) torch.long: right in 50 % in every setting.

    The verbs are balanced, so neither is the majority.
    """
    return torch.zeros(len(tokens), dtype=torch.long)


def nearest_noun(tokens: Tensor, vocabulary: Vocabulary) -> Tensor:
    """Agree with the last noun before the verb, labels (n,) torch.long.

    Right in 100 % with attractors "none" and "same", in 0 % with "opposite", and in
    about 50 % with "random".
    Raises ValueError naming the first sentence without a noun.
    """
    numbers = _noun_numbers(tokens, vocabulary)
    nearest = numbers.shape[1] - 1 - (numbers[:, ::-1] != NO_NOUN).argmax(axis=1)
    return _numbers_at(nearest, numbers)


def first_noun(tokens: Tensor, vocabulary: Vocabulary) -> Tensor:
    """Agree with the first noun of the sentence, labels (n,) torch.long.

    Right in about 75 % in every setting: in the half of the sentences that is not fronted it
    is the subject, in the other half a noun of random number.
    Raises ValueError naming the first sentence without a noun.
    """
    numbers = _noun_numbers(tokens, vocabulary)
    return _numbers_at((numbers != NO_NOUN).argmax(axis=1), numbers)


def accuracy(predicted: Tensor, labels: Tensor) -> float:
    """Return the share of the labels (n,) that were predicted, from 0 to 1.

    Raises ValueError if the two differ in shape.
    """
    if predicted.shape != labels.shape:
        raise ValueError(
            f"predicted and labels must have one shape; got {tuple(predicted.shape)} and "
            f"{tuple(labels.shape)}"
        )
    return float((predicted == labels).double().mean())


def _noun_numbers(tokens: Tensor, vocabulary: Vocabulary) -> Array:
    """(n, steps) int64: 0 at a singular noun, 1 at a plural one, NO_NOUN elsewhere."""
    numbers = word_numbers()
    by_word = [
        NUMBERS.index(numbers[word]) if word in numbers else NO_NOUN for word in vocabulary.words
    ]
    return np.array(by_word, dtype=np.int64)[tokens.numpy()]


def _numbers_at(places: Array, numbers: Array) -> Tensor:
    """Labels (n,): the noun's number at each sentence's place; raises if there is no noun."""
    labels = np.take_along_axis(numbers, places[:, None], axis=1)[:, 0]
    without = np.flatnonzero(labels == NO_NOUN)
    if len(without):
        raise ValueError(f"each sentence must hold a noun; sentence {without[0]} holds none")
    return torch.from_numpy(labels)
