"""One near noun against one subject: the smallest case in which a near word can win."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from helpers.task.agreement import AgreementTask, noun_words
from helpers.task.lexicon import lexicon, vocabulary
from helpers.validation import choice, integer

PHRASE = 3  # preposition, "the", noun


class OneNearNoun:
    """Sentences whose middle holds one noun, the last word before the verb.

    "the cats that slept and waited near the dog": a middle without nouns, and a phrase with
    one. gap: tokens between subject and verb, 6 or more. number: the near noun's, "same" as
    the subject's, "opposite" or "random". seed: of all that is drawn.
    The subject stands at tokens[:, -gap - 1], the near noun at tokens[:, -1].
    Raises ValueError if an argument is out of range.
    """

    def __init__(self, gap: int, number: str, seed: int = 0) -> None:
        self.gap = integer("gap", gap, minimum=3 + PHRASE, maximum=10_000)
        self.number = choice("number", number, ("same", "opposite", "random"))
        self.vocabulary = vocabulary()
        self._before = AgreementTask(gap - PHRASE, "none", seed=seed)
        self._rng = np.random.default_rng([self._before.seed, PHRASE])

    def batch(self, n: int) -> tuple[Tensor, Tensor]:
        """Return tokens (n, steps) and labels (n,), as AgreementTask does."""
        tokens, labels = self._before.batch(n)
        drawn = torch.from_numpy(self._rng.integers(2, size=n))
        numbers = {"same": labels, "opposite": 1 - labels, "random": drawn}[self.number]
        nouns = noun_words("train")
        prepositions = self.vocabulary.encode(lexicon().prepositions)
        phrase = np.column_stack(
            [
                self._rng.choice(prepositions, n),
                np.full(n, self.vocabulary.encode(["the"])[0]),
                nouns[self._rng.integers(len(nouns), size=n), numbers],
            ]
        )
        return torch.cat([tokens, torch.from_numpy(phrase)], dim=1), labels
