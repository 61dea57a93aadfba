"""The task of the course: after a subject and a gap of words, say "was" or "were".

A sentence is an opener, "the", the subject noun and a middle of exactly `gap` tokens;
the verb comes next and is what a model must say. Commas are tokens and count. With
random attractors nothing but the subject gives the verb away: every verb is in the past
tense, every article is "the".
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from helpers.task.lexicon import (
    VERBS,
    Vocabulary,
    lexicon,
    other_number,
    vocabulary,
    word_numbers,
)
from helpers.validation import Array, choice, integer

ATTRACTORS = ("none", "random", "same", "opposite")
NOUNS = ("train", "held_out")
SMALLEST_GAP, LARGEST_GAP = 3, 10_000

# A phrase is a row of slots, each to be filled with a word of its category.
COMMA, THE, WHICH, RELATIVE, CONNECTOR, SEQUEL, PREPOSITION, NOUN = range(8)
TRANSITIVE, INTRANSITIVE, EARLY, LATE, ADJECTIVE, COLOUR, ANY_ADJECTIVE = range(8, 15)
Phrase = tuple[int, ...]
FRONTED: dict[int, Phrase] = {
    4: (PREPOSITION, THE, NOUN, COMMA),
    5: (PREPOSITION, THE, ANY_ADJECTIVE, NOUN, COMMA),
    6: (PREPOSITION, THE, ADJECTIVE, COLOUR, NOUN, COMMA),
}
CLAUSES_WITH_NOUN: tuple[Phrase, ...] = (
    (RELATIVE, TRANSITIVE, THE, NOUN),
    (RELATIVE, TRANSITIVE, THE, ANY_ADJECTIVE, NOUN),
    (RELATIVE, EARLY, TRANSITIVE, THE, NOUN),
    (RELATIVE, INTRANSITIVE, PREPOSITION, THE, NOUN),
    (RELATIVE, INTRANSITIVE, CONNECTOR, TRANSITIVE, THE, NOUN),
    (RELATIVE, INTRANSITIVE, LATE, CONNECTOR, SEQUEL, TRANSITIVE, THE, NOUN),
)
WITH_NOUN: tuple[Phrase, ...] = (
    (PREPOSITION, THE, NOUN),
    (PREPOSITION, THE, ANY_ADJECTIVE, NOUN),
    *CLAUSES_WITH_NOUN,
)
CLAUSES_WITHOUT_NOUN: tuple[Phrase, ...] = (
    (RELATIVE, INTRANSITIVE),
    (RELATIVE, EARLY, INTRANSITIVE),
    (RELATIVE, INTRANSITIVE, LATE),
)
WITHOUT_NOUN: tuple[Phrase, ...] = (
    (CONNECTOR, INTRANSITIVE),
    (CONNECTOR, EARLY, INTRANSITIVE),
    (CONNECTOR, INTRANSITIVE, LATE),
    (CONNECTOR, SEQUEL, INTRANSITIVE),
    (CONNECTOR, SEQUEL, INTRANSITIVE, LATE),
)
NEAR = 3  # words of a phrase with one near noun: preposition, "the", noun
ROOM = 8 + 3  # slots in which any phrase fits: the longest, and one that may follow it


@dataclass(frozen=True)
class Sentence:
    """One sentence up to the word before its verb.

    words: tokens; subject: index of the subject noun; verb: "was" or "were".
    """

    words: tuple[str, ...]
    subject: int
    verb: str
    predicate: str = "full"

    @property
    def gap(self) -> int:
        """Tokens between subject and verb."""
        return len(self.words) - self.subject - 1

    def text(self) -> str:
        """Return the sentence as it is written, verb and predicate included."""
        spoken = " ".join((*self.words, self.verb, self.predicate)).replace(" ,", ",")
        return f"{spoken[0].upper()}{spoken[1:]}."


def flipped(words: Sequence[str], position: int) -> tuple[str, ...]:
    """Return the words with the noun at this position in its other number.

    A negative position counts from the end. Raises ValueError if there is no noun there.
    """
    position = integer("position", position, minimum=-len(words), maximum=len(words) - 1)
    if words[position] not in other_number():
        raise ValueError(f"word {position} must be a noun of the lexicon; got {words[position]!r}")
    changed = list(words)
    changed[position] = other_number()[words[position]]
    return tuple(changed)


def flip(tokens: Tensor, position: int) -> tuple[Tensor, Array]:
    """Return tokens (n, steps) with the noun at this position in its other number.

    A negative position counts from the end: the subject is at -gap - 1. Returns beside the
    new tokens which of the given nouns are plural (n,).
    Raises ValueError if a sentence has no noun there.
    """
    before = vocabulary().decode(tokens[:, position].tolist())
    for row, word in enumerate(before):
        if word not in other_number():
            raise ValueError(f"sentence {row} has no noun at {position}: {word!r}")
    changed = tokens.clone()
    after = vocabulary().encode(other_number()[word] for word in before)
    changed[:, position] = torch.from_numpy(after)
    return changed, np.array([word_numbers()[word] == "plural" for word in before])


def coin(labels: Tensor) -> Tensor:
    """Return as many labels from a fair coin, 0 and 1 as torch.long: a task with nothing in it."""
    return torch.randint(2, labels.shape)


def flip_test(p_was: Callable[[Sequence[str]], float], words: Sequence[str]) -> Array:
    """Return how far P(was) moves when each noun alone takes its other number, (steps,).

    p_was: a model's P(was) for a list of words. The entry of a word that is no noun is 0.
    """
    before, change = p_was(words), np.zeros(len(words))
    for t, word in enumerate(words):
        if word in other_number():
            change[t] = abs(p_was(flipped(words, t)) - before)
    return change


class AgreementTask:
    """Sentences with a given gap between subject and verb.

    gap: tokens between subject noun and verb, 3 to 10,000, or (low, high), from which
    each batch draws one gap. attractors: numbers of the nouns in the middle: "none"
    (there are no nouns in it), "random", "same" as the subject's, or all "opposite".
    seed: all that is drawn depends on it and on what this task drew before, and on
    nothing else. nouns: "train", or "held_out" for subjects no training sentence holds.

    Half of the sentences are fronted ("near the old dogs, the cat ..."), the others
    begin with noun-free words of the same length, 4 to 6 tokens, drawn for each batch;
    so the subject is not always the first noun. A fronted noun's number is random.
    Raises ValueError if an argument is out of range.
    """

    def __init__(
        self,
        gap: int | tuple[int, int],
        attractors: str = "random",
        seed: int = 0,
        nouns: str = "train",
    ) -> None:
        self.gap = gap
        self._gaps = _gap_range(gap)
        self.attractors = choice("attractors", attractors, ATTRACTORS)
        self.seed = integer("seed", seed, minimum=0)
        self.nouns = choice("nouns", nouns, NOUNS)
        self.vocabulary: Vocabulary = vocabulary()
        self._rng = np.random.default_rng(self.seed)
        self._words = _slot_words()

    def batch(self, n: int) -> tuple[Tensor, Tensor]:
        """Tokens (n, steps) and labels (n,), 0 for "was" and 1 for "were", as torch.long.

        One gap and one opener length for the batch; the two verbs in equal parts (one
        more of either if n is odd). The subject is at tokens[:, -gap - 1].
        Raises ValueError if n is below 1.
        """
        integer("n", n, minimum=1)
        labels = self._shuffled_halves(n)
        tokens, _ = self._draw(labels)
        return torch.from_numpy(tokens), torch.from_numpy(labels)

    def sentence(self) -> Sentence:
        """One sentence, drawn as the rows of a batch are."""
        label = self._shuffled_halves(1)
        tokens, gap = self._draw(label)
        words = self.vocabulary.decode(tokens[0])
        predicate = str(self._rng.choice(lexicon().predicates))
        return Sentence(words, len(words) - gap - 1, VERBS[label[0]], predicate)

    def _draw(self, labels: Array) -> tuple[Array, int]:
        """Tokens (n, steps) for the labels, and the gap they share."""
        low, high = self._gaps
        gap = int(self._rng.integers(low, high + 1))
        subjects = _noun_words(self.nouns)
        chosen = subjects[self._rng.integers(len(subjects), size=len(labels)), labels]
        the = np.full(len(labels), self._words[THE][0])
        opener = self._openers(labels)
        middle = self._middle(labels, gap)
        return np.column_stack([opener, the, chosen, middle]), gap

    def _shuffled_halves(self, n: int) -> Array:
        """(n,) zeros and ones in equal parts, shuffled; which has one more is drawn."""
        halves = (np.arange(n) + self._rng.integers(2)) % 2
        self._rng.shuffle(halves)
        return halves

    def _openers(self, labels: Array) -> Array:
        """(n, length) tokens of one length from 4 to 6; half of each label's are fronted."""
        length = int(self._rng.integers(4, 7))
        phrases = _opener_words(length)
        tokens = phrases[self._rng.integers(len(phrases), size=len(labels))]
        fronted = np.zeros(len(labels), dtype=bool)
        for label in (0, 1):
            rows = np.flatnonzero(labels == label)
            fronted[rows] = self._shuffled_halves(len(rows))
        slots = np.tile(np.array(FRONTED[length], np.int8), (int(fronted.sum()), 1))
        tokens[fronted] = self._fill(slots, self._rng.integers(2, size=slots.shape))
        return tokens

    def _middle(self, labels: Array, gap: int) -> Array:
        """(n, gap) tokens between subject and verb."""
        slots = np.array([self._middle_slots(gap) for _ in labels], dtype=np.int8)
        if self.attractors == "random":
            numbers = self._rng.integers(2, size=slots.shape)
        else:
            number = 1 - labels if self.attractors == "opposite" else labels
            numbers = np.broadcast_to(number[:, None], slots.shape)
        return self._fill(slots, numbers)

    def _middle_slots(self, gap: int) -> list[int]:
        """Slots of one middle: phrases, each hanging on the one before it.

        Half of the middles that are long enough for it are a clause between commas.
        """
        if self.attractors == "none":
            first, clauses, rest = CLAUSES_WITHOUT_NOUN, CLAUSES_WITHOUT_NOUN, WITHOUT_NOUN
        else:
            first, clauses, rest = WITH_NOUN, CLAUSES_WITH_NOUN, WITH_NOUN
        between_commas = gap - 2
        if _fitting(clauses, rest, between_commas) and self._rng.random() < 0.5:
            _, *others = self._phrases(between_commas, clauses, rest)
            return [COMMA, WHICH, *others, COMMA]
        return self._phrases(gap, first, rest)

    def _phrases(
        self, length: int, first: tuple[Phrase, ...], rest: tuple[Phrase, ...]
    ) -> list[int]:
        """Exactly this many slots: a phrase of `first`, then phrases of `rest`."""
        draws = self._rng.random(length).tolist()
        slots: list[int] = []
        phrases = first
        while left := length - len(slots):
            fitting = phrases if left >= ROOM else _fitting(phrases, rest, left)
            slots += fitting[int(draws.pop() * len(fitting))]
            phrases = rest
        return slots

    def _fill(self, slots: Array, numbers: Array) -> Array:
        """Tokens for slots (n, length); numbers (n, length), 0 or 1: of the noun in a slot."""
        tokens = np.empty(slots.size, dtype=np.int64)
        order = np.argsort(slots.ravel(), kind="stable")  # slot by slot, each row by row
        counts = np.bincount(slots.ravel())
        ends = counts.cumsum()
        for slot in np.flatnonzero(counts):
            here, words = order[ends[slot] - counts[slot] : ends[slot]], self._words[slot]
            drawn = self._rng.integers(len(words), size=len(here))
            tokens[here] = words[drawn, numbers.ravel()[here]] if slot == NOUN else words[drawn]
        return tokens.reshape(slots.shape)


class OneNearNoun:
    """Sentences whose middle holds one noun, the last word before the verb.

    "the cats that slept and waited near the dog": the smallest case in which a near word can
    win. gap: tokens between subject and verb, 6 or more. number: the near noun's, "same" as
    the subject's, "opposite" or "random". seed: of all that is drawn.
    The subject stands at tokens[:, -gap - 1], the near noun at tokens[:, -1].
    Raises ValueError if an argument is out of range.
    """

    def __init__(self, gap: int, number: str, seed: int = 0) -> None:
        self.gap = integer("gap", gap, minimum=3 + NEAR, maximum=10_000)
        self.number = choice("number", number, ("same", "opposite", "random"))
        self.vocabulary = vocabulary()
        self._before = AgreementTask(gap - NEAR, "none", seed=seed)
        self._rng = np.random.default_rng([self._before.seed, NEAR])

    def batch(self, n: int) -> tuple[Tensor, Tensor]:
        """Return tokens (n, steps) and labels (n,), as AgreementTask does."""
        tokens, labels = self._before.batch(n)
        drawn = torch.from_numpy(self._rng.integers(2, size=n))
        numbers = {"same": labels, "opposite": 1 - labels, "random": drawn}[self.number]
        words = _slot_words()
        preposition = self._rng.choice(words[PREPOSITION], n)
        noun = words[NOUN][self._rng.integers(len(words[NOUN]), size=n), numbers]
        phrase = np.column_stack([preposition, np.full(n, words[THE]), noun])
        return torch.cat([tokens, torch.from_numpy(phrase)], dim=1), labels


@functools.lru_cache(maxsize=4096)
def _fitting(
    phrases: tuple[Phrase, ...], rest: tuple[Phrase, ...], left: int
) -> tuple[Phrase, ...]:
    """The phrases after which what is left of the length can still be filled exactly.

    The lengths of `rest` run without a gap from its shortest, so any length from that
    on can be filled.
    """
    shortest = min(map(len, rest))
    return tuple(p for p in phrases if len(p) == left or left - len(p) >= shortest)


@functools.cache
def _slot_words() -> tuple[Array, ...]:
    """Token numbers for each slot, (words,); for nouns (lemmas, 2), singular and plural."""
    words, encode = lexicon(), vocabulary().encode
    lists = {
        COMMA: [","],
        THE: ["the"],
        WHICH: ["which"],
        RELATIVE: words.relatives,
        CONNECTOR: words.connectors,
        SEQUEL: words.sequels,
        PREPOSITION: words.prepositions,
        TRANSITIVE: words.transitive,
        INTRANSITIVE: words.intransitive,
        EARLY: words.early_adverbs,
        LATE: words.late_adverbs,
        ADJECTIVE: words.adjectives,
        COLOUR: words.colours,
        ANY_ADJECTIVE: (*words.adjectives, *words.colours),
    }
    by_slot = {NOUN: _noun_words("train"), **{slot: encode(each) for slot, each in lists.items()}}
    return tuple(by_slot[slot] for slot in sorted(by_slot))


@functools.cache
def _opener_words(length: int) -> Array:
    """Token numbers (phrases, length) of the openers without a noun, with their comma."""
    return np.array([vocabulary().encode((*p, ",")) for p in lexicon().openers[length]])


@functools.cache
def _noun_words(nouns: str) -> Array:
    """Token numbers (lemmas, 2) of the singular and plural of each noun."""
    pairs = lexicon().nouns if nouns == "train" else lexicon().held_out_nouns
    return np.array([vocabulary().encode(pair) for pair in pairs])


def _gap_range(gap: int | tuple[int, int]) -> tuple[int, int]:
    """Smallest and largest gap; raises ValueError unless 3 <= smallest <= largest <= 10,000."""
    pair = gap if isinstance(gap, (tuple, list)) else (gap, gap)
    if len(pair) == 2:
        low, high = (integer("gap", g, minimum=SMALLEST_GAP, maximum=LARGEST_GAP) for g in pair)
        if low <= high:
            return low, high
    raise ValueError(f"gap must be a number or (low, high) with low <= high; got {gap!r}")
