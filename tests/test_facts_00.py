"""What notebook 00 says in words and rounded numbers, measured and held to a tolerance.

Each test names the notebook and cell whose text it holds. Stored outputs are compared by
nbval; here the numbers behind them are asserted, for more seeds than the notebook shows.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from helpers import examples, gradients, models, rnn
from helpers.agreement import vocabulary

SEEDS = range(4)


@pytest.mark.parametrize("seed", range(10))
def test_00_step_and_frames_states_differ_where_the_past_does(seed):
    rng = np.random.default_rng(seed)
    W, U, b = (rng.normal(0, 8**-0.5, size) for size in [(8, 8), (8, 7), 8])

    def states(words: list[int]) -> np.ndarray:
        return rnn.forward(np.eye(7)[words][:, None], U, W, b, 0 * b)[1:, 0]

    # "the cat near the dogs", "the dogs near the cat"
    difference = np.abs(states([0, 2, 1, 0, 3]) - states([0, 3, 1, 0, 2])).max(axis=1)
    assert difference[0] == 0
    assert difference[1:].min() > 0.05
    right, left = states([1, 2, 3]), states([5, 4, 3])
    assert np.abs(right[-1] - left[-1]).max() > 0.15


def test_00_book_the_bigram_is_a_coin_after_a_name():
    book = examples.childrens_book(sentences=4000, seed=1)
    table = examples.bigram_table(book)
    words = examples.BOOK_WORDS
    for name in ("jane", "doug", "spot"):
        row = table[words.index(name)]
        assert row[words.index("saw")] == pytest.approx(0.5, abs=0.05)
        assert row[words.index(".")] == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("seed", SEEDS)
def test_00_book_train_eight_units_learn_the_two_words_of_memory(seed):
    words = list(examples.BOOK_WORDS)
    book = examples.childrens_book(sentences=400, seed=0)
    pages = torch.tensor([words.index(word) for word in book]).view(-1, 8)
    eye = torch.eye(len(words))
    torch.manual_seed(seed)
    reader = torch.nn.RNN(len(words), 8, batch_first=True)
    readout = torch.nn.Linear(8, len(words))
    stepper = torch.optim.Adam([*reader.parameters(), *readout.parameters()], lr=0.03)
    for _ in range(200):
        states, _ = reader(eye[pages[:, :-1]])
        loss = torch.nn.functional.cross_entropy(readout(states).transpose(1, 2), pages[:, 1:])
        stepper.zero_grad()
        loss.backward()
        stepper.step()

    def chance(prefix: str, word: str) -> float:
        states, _ = reader(eye[[words.index(w) for w in prefix.split()]])
        return readout(states[-1]).softmax(0)[words.index(word)].item()

    assert chance("jane", "saw") > 0.95
    assert chance("jane saw spot", ".") > 0.95
    assert chance("jane saw spot . doug", "saw") > 0.95
    assert chance("jane saw spot", "saw") < 0.05
    with torch.no_grad():
        states, _ = reader(eye[pages[0, :7]])
        before = readout(states).argmax(1)
        readout.weight.neg_()
        assert (readout(states).argmax(1) != before).all()


@pytest.mark.parametrize("seed", range(8))
def test_00_picture_the_subject_has_less_than_a_tenth_of_the_last_words_signal(seed):
    model = models.rnn_classifier(len(vocabulary()), seed=seed).double()
    sentence = examples.LECTURE_SENTENCES[1]
    tokens = torch.tensor(vocabulary().encode(sentence.words))[None]
    signal = gradients.signal(model, tokens)[0]
    assert signal.argmax() == len(signal) - 1
    assert (np.diff(signal) > 0).all()
    assert signal[sentence.subject] < 0.09 * signal[-1]
