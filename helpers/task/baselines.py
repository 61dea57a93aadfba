"""What no learning gets right: one verb for all, two rules of thumb, networks drawn at random.

Each rule maps tokens (n, steps) to predicted labels (n,), 0 for "was" and 1 for "were".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from helpers.task.agreement import AgreementTask
from helpers.task.lexicon import NUMBERS, Vocabulary, word_numbers
from helpers.validation import Array

NO_NOUN = -1


class RandomGuess(NamedTuple):
    """Accuracy of the luckiest network: where it was chosen, and on fresh sentences."""

    chosen: float
    fresh: float


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

    Right in about 75 % in every setting: the half of the sentences that is not fronted
    begins with its subject, the other half with a noun of random number.
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


@torch.no_grad()
def random_weight_guessing(
    make_model: Callable[[int], Callable[[Tensor], Tensor]],
    task: AgreementTask,
    fresh: AgreementTask,
    tries: int,
    sentences: int = 200,
) -> RandomGuess:
    """Draw untrained networks and keep the one that does best on one set of sentences.

    make_model(seed) gives a network, tokens (n, steps) to logits (n, 2), for the
    seeds 0 to tries - 1. All are scored on the same `sentences` from task, and the
    best, the first of equals, once more on as many from fresh. The first score is the
    maximum over many draws and so lies above 50 % by luck alone; the second shows
    what is left without it.
    Source: Hochreiter & Schmidhuber 1996, "LSTM can solve hard long time lag
    problems": some benchmarks for long lags fall to guessed weights, so try it first.
    """
    chosen_from = _batches(task, sentences)
    scores = [_score(make_model(seed), chosen_from) for seed in range(tries)]
    best = int(np.argmax(scores))
    return RandomGuess(scores[best], _score(make_model(best), _batches(fresh, sentences)))


def _batches(task: AgreementTask, sentences: int, at_once: int = 50) -> list[tuple[Tensor, Tensor]]:
    """Sentences in several batches, so that openers and gaps of several lengths occur."""
    return [task.batch(min(at_once, sentences - start)) for start in range(0, sentences, at_once)]


def _score(model: Callable[[Tensor], Tensor], batches: list[tuple[Tensor, Tensor]]) -> float:
    predicted = torch.cat([model(tokens).argmax(dim=1) for tokens, _ in batches])
    return accuracy(predicted, torch.cat([labels for _, labels in batches]))


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
