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

import numpy as np
import torch
from torch import Tensor

from helpers.task.agreement import VERBS, Sentence
from helpers.task.lexicon import Vocabulary

PATH = Path(__file__).resolve().parents[2] / "data" / "evaluation.tsv"


def load_evaluation() -> tuple[Sentence, ...]:
    """Return the sentences of the evaluation set."""
    with PATH.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return tuple(
        Sentence(tuple(row["words"].split()), int(row["subject"]), row["verb"], row["predicate"])
        for row in rows
    )


@torch.no_grad()
def evaluation_accuracy(
    model: Callable[[Tensor], Tensor], vocabulary: Vocabulary, sentences: Sequence[Sentence]
) -> float:
    """Return the share of right verbs on sentences of different lengths, from 0 to 1.

    model: takes tokens (n, steps), gives logits (n, 2), was before were. Sentences of one
    length are one batch. Raises ValueError if a word is not in the vocabulary.
    """
    by_length: dict[int, list[Sentence]] = defaultdict(list)
    for sentence in sentences:
        by_length[len(sentence.words)].append(sentence)
    right = 0
    for group in by_length.values():
        tokens = torch.tensor(np.stack([vocabulary.encode(each.words) for each in group]))
        labels = torch.tensor([VERBS.index(each.verb) for each in group])
        right += int((model(tokens).argmax(dim=1) == labels).sum())
    return right / len(sentences)
