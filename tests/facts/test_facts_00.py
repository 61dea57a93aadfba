"""What notebook 00 says in words and rounded numbers, measured and held to a tolerance.

Each test names the notebook and cell whose text it holds. Stored outputs are compared by
nbval; here the numbers behind them are asserted, for more seeds than the notebook shows.
"""

from __future__ import annotations

import copy
import functools

import numpy as np
import pytest
import torch

from helpers import measure as gradients
from helpers import training
from helpers.networks import classifiers as models
from helpers.networks import rnn
from helpers.task import lecture as examples
from helpers.task.agreement import vocabulary

SEEDS = range(4)
WORDS = list(examples.BOOK_WORDS)


@pytest.mark.parametrize("seed", range(10))
def test_00_step_and_frames_states_differ_where_the_past_does(seed):
    """Of two sentences that are one bag of words, and of two films with one last frame."""
    rng = np.random.default_rng(seed)
    W, U, b = (rng.normal(0, 8**-0.5, size) for size in [(8, 8), (8, 7), 8])

    def states(words: list[int]) -> np.ndarray:
        return rnn.forward(np.eye(7)[words][:, None], U, W, b, 0 * b)[1:, 0]

    sentences = [0, 2, 1, 0, 3], [0, 3, 1, 0, 2]  # "the cat near the dogs", and the reverse
    bags = [np.eye(7)[words].sum(axis=0) for words in sentences]
    np.testing.assert_array_equal(*bags)
    difference = np.abs(np.subtract(*map(states, sentences))).max(axis=1)
    assert difference[0] == 0
    assert difference[1:].min() > 0.05
    right, left = states([1, 2, 3]), states([5, 4, 3])
    assert np.abs(right[-1] - left[-1]).max() > 0.15


def pages() -> torch.Tensor:
    """Notebook 00's book as numbers, eight words a page."""
    book = examples.childrens_book(sentences=400, seed=0)
    return torch.tensor([WORDS.index(word) for word in book]).view(-1, 8)


@functools.cache
def trained_reader(seed: int) -> tuple[torch.nn.RNN, torch.nn.Linear]:
    """Eight units and their readout after notebook 00's 200 steps on the book."""
    torch.manual_seed(seed)
    reader = torch.nn.RNN(len(WORDS), 8, batch_first=True)
    readout = torch.nn.Linear(8, len(WORDS))
    stepper = torch.optim.Adam([*reader.parameters(), *readout.parameters()], lr=0.03)
    book, one_hot = pages(), torch.eye(len(WORDS))
    with training.one_thread():
        for _ in range(200):
            states, _ = reader(one_hot[book[:, :-1]])
            loss = torch.nn.functional.cross_entropy(readout(states).transpose(1, 2), book[:, 1:])
            stepper.zero_grad()
            loss.backward()
            stepper.step()
    return reader, readout


@pytest.mark.parametrize("seed", SEEDS)
def test_00_book_predict_what_is_a_coin_to_the_bigram_eight_units_learn(seed):
    table = examples.bigram_table(examples.childrens_book(sentences=4000, seed=seed))
    for name in ("jane", "doug", "spot"):
        row = table[WORDS.index(name)]
        assert row[WORDS.index("saw")] == pytest.approx(0.5, abs=0.05)
        assert row[WORDS.index(".")] == pytest.approx(0.5, abs=0.05)
    reader, readout = trained_reader(seed)

    def chance(prefix: str, word: str) -> float:
        states, _ = reader(torch.eye(len(WORDS))[[WORDS.index(w) for w in prefix.split()]])
        return readout(states[-1]).softmax(0)[WORDS.index(word)].item()

    assert chance("jane", "saw") > 0.95
    assert chance("jane saw spot", ".") > 0.95
    assert chance("jane saw spot . doug", "saw") > 0.95
    assert chance("jane saw spot", "saw") < 0.05


@pytest.mark.parametrize("seed", SEEDS)
@torch.no_grad()
def test_00_carried_scramble_another_readout_changes_every_prediction_and_no_state(seed):
    reader, readout = copy.deepcopy(trained_reader(seed))
    page = torch.eye(len(WORDS))[pages()[0, :7]]
    before, _ = reader(page)
    predictions = readout(before).argmax(1)
    readout.weight.neg_()
    after, _ = reader(page)
    assert (readout(after).argmax(1) != predictions).all()
    assert torch.equal(after, before)


@pytest.mark.parametrize("seed", range(8))
def test_00_picture_the_subject_has_less_than_a_tenth_of_the_last_words_signal(seed):
    model = models.rnn_classifier(len(vocabulary()), seed=seed).double()
    sentence = examples.LECTURE_SENTENCES[1]
    tokens = torch.tensor(vocabulary().encode(sentence.words))[None]
    signal = gradients.signal(model, tokens)[0]
    assert signal.argmax() == len(signal) - 1
    assert (np.diff(signal) > 0).all()
    assert signal[sentence.subject] < 0.09 * signal[-1]
