"""The hand-written evaluation set, read and checked, and a model's accuracy on it.

data/evaluation.tsv holds one sentence a row, tab-separated: its words up to the one
before the verb (space-separated, commas are words), the index of its subject noun
(from 0), its verb and its predicate.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from helpers.task.agreement import VERBS, Sentence
from helpers.task.lexicon import NUMBERS, Vocabulary, lexicon, vocabulary, word_numbers

PATH = Path(__file__).resolve().parents[2] / "data" / "evaluation.tsv"
COLUMNS = ("words", "subject", "verb", "predicate")
SHORTEST_GAP, LONGEST_GAP, MOST_ATTRACTORS = 3, 40, 4


class EvaluationError(ValueError):
    """A row of an evaluation file breaks a rule; the message names file, row and remedy."""


class EvaluationScores(NamedTuple):
    """Shares of right verbs, from 0 to 1: over all sentences, and by number of attractors."""

    accuracy: float
    by_attractors: dict[int, float]


def load_evaluation(path: Path | str | None = None) -> tuple[Sentence, ...]:
    """Read and check an evaluation file; without a path, the course's own.

    Raises FileNotFoundError if there is no such file, and EvaluationError naming file,
    row (the header is row 1) and what would be right: not UTF-8, another header, no
    sentence, a missing, extra or empty field, an unknown word, a subject that is no
    noun, a verb that does not agree with it, a gap outside 3 to 40, more than 4
    attractors, a sentence that stood there before.
    """
    path = PATH if path is None else Path(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = error.object[: error.start].count(b"\n") + 1
        raise EvaluationError(f"{path}, row {row}: not UTF-8; save the file as UTF-8") from None
    header, *rows = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
    if header != "\t".join(COLUMNS):
        raise EvaluationError(
            f"{path}, row 1: the header must be {', '.join(COLUMNS)}, separated by tabs; "
            f"got {header!r}"
        )
    if not rows:
        raise EvaluationError(f"{path}, row 2: there is no sentence; there must be at least one")
    seen: dict[tuple[str, ...], int] = {}
    sentences = []
    for number, row in enumerate(rows, start=2):
        try:
            sentence = _parse(row)
            if sentence.words in seen:
                raise ValueError(f"the same words stand in row {seen[sentence.words]}; drop one")
        except ValueError as error:
            raise EvaluationError(f"{path}, row {number}: {error}") from None
        seen[sentence.words] = number
        sentences.append(sentence)
    return tuple(sentences)


@torch.no_grad()
def evaluation_accuracy(
    model: Callable[[Tensor], Tensor], vocabulary: Vocabulary, sentences: Sequence[Sentence]
) -> EvaluationScores:
    """Run a model on sentences of different lengths, those of one length as one batch.

    model: takes tokens (n, steps), gives logits (n, 2), was before were.
    Raises ValueError if there is no sentence, a word is not in the vocabulary, or the
    logits have another shape.
    """
    if not sentences:
        raise ValueError("sentences must hold at least one sentence; got none")
    by_length: dict[int, list[Sentence]] = defaultdict(list)
    for sentence in sentences:
        by_length[len(sentence.words)].append(sentence)
    asked: Counter[int] = Counter()
    right: Counter[int] = Counter()
    for group in by_length.values():
        tokens = torch.stack([torch.from_numpy(vocabulary.encode(s.words)) for s in group])
        logits = model(tokens)
        if tuple(logits.shape) != (len(group), len(VERBS)):
            raise ValueError(
                f"the model's logits must have shape ({len(group)}, {len(VERBS)}); "
                f"got {tuple(logits.shape)}"
            )
        for sentence, said in zip(group, logits.argmax(dim=1).tolist(), strict=True):
            asked[sentence.attractors] += 1
            right[sentence.attractors] += VERBS[said] == sentence.verb
    by_attractors = {count: right[count] / asked[count] for count in sorted(asked)}
    return EvaluationScores(right.total() / asked.total(), by_attractors)


def _parse(row: str) -> Sentence:
    """The sentence of a row; raises ValueError with reason and remedy if it breaks a rule."""
    fields = row.split("\t")
    if len(fields) != len(COLUMNS):
        raise ValueError(
            f"must have {len(COLUMNS)} fields ({', '.join(COLUMNS)}); got {len(fields)}"
        )
    for name, field in zip(COLUMNS, fields, strict=True):
        if not field.strip():
            raise ValueError(f"{name} is empty; fill it in or drop the row")
    words = tuple(fields[0].split(" "))
    verb, predicate = fields[2:]
    for place, word in enumerate(words):
        _known(f"word {place}", word, vocabulary().words)
    _known("verb", verb, VERBS)
    _known("predicate", predicate, lexicon().predicates)
    subject = _subject(fields[1], words)
    numbers = word_numbers()
    number = numbers[words[subject]]
    right = VERBS[NUMBERS.index(number)]
    if verb != right:
        raise ValueError(f"verb is {verb!r}, but {words[subject]!r} is {number}; write {right!r}")
    attractors = sum(numbers.get(word, number) != number for word in words[subject + 1 :])
    sentence = Sentence(words, subject, verb, attractors, predicate)
    if not SHORTEST_GAP <= sentence.gap <= LONGEST_GAP:
        raise ValueError(
            f"gap must be from {SHORTEST_GAP} to {LONGEST_GAP} words between subject and verb; "
            f"got {sentence.gap}"
        )
    if attractors > MOST_ATTRACTORS:
        raise ValueError(
            f"attractors must be at most {MOST_ATTRACTORS} nouns of the other number after "
            f"the subject; got {attractors}"
        )
    return sentence


def _subject(field: str, words: tuple[str, ...]) -> int:
    """Index of the subject; raises ValueError unless the field is the index of a noun."""
    nouns = {place: word for place, word in enumerate(words) if word in word_numbers()}
    if not (field.isascii() and field.isdecimal()) or int(field) not in nouns:
        listed = ", ".join(f"{place} ({word})" for place, word in nouns.items())
        raise ValueError(
            f"subject must be the index of a noun; got {field!r}, and the nouns are "
            f"{listed or 'none'}"
        )
    return int(field)


def _known(name: str, word: str, known: Sequence[str]) -> None:
    """Raise ValueError if the word is not among the known ones, with the nearest of them."""
    if word not in known:
        near = get_close_matches(word, known, n=1)
        remedy = f"did you mean {near[0]!r}?" if near else "see data/lexicon.json for the words"
        allowed = f"one of {', '.join(known)}" if len(known) < 20 else "in the vocabulary"
        raise ValueError(f"{name} must be {allowed}; got {word!r}, {remedy}")
