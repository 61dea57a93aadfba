"""What notebook 08 says, measured over several seeds by its own cells, and read in the record."""

import numpy as np
import pytest
import torch
from cells import functions

from helpers import measure, networks, record, task, training
from tools import record_runs

WORDS = task.vocabulary()
V = len(WORDS)


def own(*ids, **names):
    """The functions that these cells define."""
    return functions("08", "imports", *ids, V=V, coin=task.coin, **names)


BOARD = record.load_record()


def filmed(seed, steps, rate, make_task=task.AgreementTask, attractors="none", every=5, **more):
    """Train as the notebook's `film` does, seen by its `look`: steps, signal, loss."""
    model = networks.gru_classifier(V, seed=seed)
    pair = [make_task(100, attractors=attractors, seed=s) for s in (seed, 1000 + seed)]
    tokens, labels = task.AgreementTask(100, attractors=attractors, seed=500).batch(32)
    look = own("film-look", tokens=tokens, labels=labels)["look"]
    settings = {"learning_rate": rate, "check_every": every, "batch_size": 16, **more}
    run = training.train(model, *pair, steps=steps, watch=look, **settings)
    signal, _, loss = np.array(run.watched).T
    return every * np.arange(len(loss)), signal, loss


@pytest.mark.slow
def test_film_seen_the_signal_arrives_before_the_loss_falls():
    steps, signal, loss = filmed(1, 400, 3e-2)
    assert signal[0] < 1e-17
    arrived, fell = steps[signal > 1e-2][0], steps[loss < 0.5][0]
    assert 10 <= arrived <= 90
    assert 5 <= fell - arrived <= 60


@pytest.mark.slow
def test_film_seen_with_random_nouns_the_wait_is_longer():
    steps, signal, loss = filmed(2, 900, 3e-2, attractors="random", every=10)
    assert steps[loss < 0.5][0] - steps[signal > 1e-2][0] >= 40


@pytest.mark.slow
def test_coin_seen_most_of_the_way_without_a_message():
    coin_task = own("coin-run")["CoinTask"]
    torch.manual_seed(1)
    rises = []
    for rate in (3e-2, 1e-2):
        _, signal, _ = filmed(1, 120, rate, coin_task, target=2)
        rises.append(np.log10(signal.max() / signal[0]))
    assert rises[0] > 12
    assert 2 < rises[1] < rises[0]


@pytest.mark.slow
def test_hold_seen():
    held = own("hold-none")["held"]
    assert 35 < held("drawn", "none", 1) < 65
    assert 78 < held("constant", "none", 1) < 95
    assert held("free", "none", 1) >= 95
    assert 60 < held("constant", "random", 1) < 82


@pytest.mark.slow
def test_attractors_seen():
    for make, middle, low, high in (
        (networks.gru_classifier, "none", 0, 0.2),
        (networks.gru_classifier, "random", 0.95, 1),
        (networks.leaky_classifier, "random", 0.65, 1),
    ):
        options = {} if make is networks.leaky_classifier else {"update_bias": 3.0}
        model = make(V, seed=1, **options)
        pair = [task.AgreementTask((5, 20), attractors=middle, seed=s) for s in (1, 1001)]
        training.train(model, *pair, steps=600, learning_rate=1e-2, target=0.99)
        opposite = task.AgreementTask(20, attractors="opposite", seed=5)
        assert low <= training.accuracy(model, opposite) <= high, (make, middle)


@pytest.mark.slow
def test_gate_words_most_is_written_at_the_subject():
    model = networks.gru_classifier(V, update_bias=networks.bias_for_span(20), seed=3)
    pair = [task.AgreementTask((5, 20), seed=s) for s in (3, 1003)]
    training.train(model, *pair, steps=600, learning_rate=1e-2, target=0.99)
    nouns = set(task.word_numbers())
    sentences, at_subject, later = task.AgreementTask(12, seed=11), [], []
    for _ in range(40):
        sentence = sentences.sentence()
        words = torch.tensor(task.vocabulary().encode(sentence.words))[None]
        gate = measure.written(model, words, sentence.subject)
        at_subject.append(gate[sentence.subject])
        after = range(sentence.subject + 1, len(sentence.words))
        later += [gate[t] for t in after if sentence.words[t] in nouns]
    assert np.mean(at_subject) > 1.5 * np.mean(later)


@pytest.mark.parametrize(
    ("name", "middle", "gap", "learned", "steps"),
    [
        ("RNN", "none", 5, 10, None),
        ("RNN", "none", 10, 7, None),
        ("RNN", "none", 20, 0, None),
        ("RNN, orthogonal", "none", 20, 0, None),
        ("ReLU, identity", "none", 20, 10, None),
        ("ReLU, identity", "none", 80, 10, None),
        ("ReLU, identity, small U", "none", 80, 10, None),
        ("residual", "none", 20, 10, None),
        ("residual", "none", 80, 10, None),
        ("residual", "none", 300, 5, None),
        ("ReLU, identity", "none", 300, 4, None),
        ("ReLU, identity, small U", "none", 300, 4, None),
        ("ReLU, identity", "none", 1000, 0, None),
        ("ReLU, identity, small U", "none", 1000, 0, None),
        ("residual", "none", 1000, 2, None),
        ("leaky", "none", 20, 10, None),
        ("leaky", "none", 80, 0, None),
        ("LSTM, forget log(gap)", "none", 80, 9, 780),
        ("LSTM, forget log(gap)", "none", 300, 0, None),
        ("LSTM, both log(gap)", "none", 80, 10, 100),
        ("LSTM, both log(gap)", "none", 1000, 3, None),
        ("GRU", "none", 1000, 3, None),
        ("GRU, log(gap)", "none", 1000, 3, None),
        ("GRU, log(100)", "none", 1000, 3, None),
        ("LSTM, both log(gap)", "random", 1000, 1, None),
        ("GRU", "random", 300, 4, 880),
        ("GRU, log(gap)", "random", 300, 5, 240),
        ("GRU", "random", 1000, 3, 1180),
        ("GRU, log(gap)", "random", 1000, 3, 320),
        ("GRU, log(100)", "random", 1000, 3, 160),
    ],
)
def test_board_seen(name, middle, gap, learned, steps):
    cell = BOARD.cell(name, middle, gap)
    assert (cell.learned, cell.median_steps) == (learned, steps or cell.median_steps)


def test_board_none_seen_10_000():
    names = "GRU", "GRU, log(gap)", "LSTM, both log(gap)"
    steps = [sorted(BOARD.cell(name, "none", 10_000).learned_at) for name in names]
    assert steps == [[120, 160, 380], [100, 120, 120], [340, 400, 1620]]


def test_board_lower_and_higher_rates_than_the_best_were_tried():
    _, lines = record_runs.load(record.PATH)
    learned = [line for line in lines if any(line["learned_at"])]
    assert len(learned) > 150
    for line in learned:
        tried = [float(rate) for rate in (*line["scouts"], *line["other_rates"])]
        if line["scouts"]:
            assert min(tried) < line["rate"] < max(tried), line


def test_board_random_seen_the_lstm_at_three_rates():
    _, lines = record_runs.load(record.PATH)
    here = ("LSTM, both log(gap)", "random", 1000)
    line = next(e for e in lines if (e["network"], e["middle"], e["gap"]) == here)
    assert line["other_rates"] == {"0.001": [None] * 3, "0.01": [None] * 3}


def test_board_none_seen_a_longer_budget():
    longer = BOARD.cell("RNN", "random", 10).longer
    assert sorted(sum(map(bool, steps)) for steps in longer.values()) == [0, 1, 1]


def test_board_tested_seen_short_sentences_of_many_lengths():
    mixed = BOARD.cell("RNN", "random", (3, 15))
    assert mixed.right("opposite", 1000) == mixed.seeds == 10


@pytest.mark.slow
def test_ex_break_answer_beats_the_board_with_another_seed():
    model = networks.rnn_classifier(V, seed=1)
    for gaps, rate in (((3, 5), 3e-3), ((3, 10), 2e-3), ((3, 20), 2e-3)):
        pair = [task.AgreementTask(gaps, attractors="none", seed=s) for s in (1, 1001)]
        training.train(model, *pair, steps=500, learning_rate=rate, target=2)
    fresh = task.AgreementTask(20, attractors="none", seed=77)
    assert training.accuracy(model, fresh) > 0.95


def test_noise_table_sentences_agree_where_they_teach():
    many, _ = task.AgreementTask(20, attractors="none", seed=9).batch(256)
    assert measure.agreement(networks.leaky_classifier(V, seed=1), many, -21) > 0.75
    loud = own("noise-table")["scaled"](3, 1)
    assert abs(measure.agreement(loud, many, -21)) < 0.3
    signal = measure.signal(loud.double(), many[:32])
    assert np.median(signal[:, -21] / signal[:, -1]) > 0.2


def test_noise_seen_without_noise_the_same_signal_teaches():
    one, _ = task.AgreementTask(20, attractors="none", seed=41).batch(1)

    class OneSentence(task.AgreementTask):
        def batch(self, n):
            tokens, labels = super().batch(n)
            same = one.repeat(n, 1)
            same[:, -21] = tokens[:, -21]
            return same, labels

    tried = (1, OneSentence, False), (3, OneSentence, True), (3, task.AgreementTask, False)
    for gain, words, learned in tried:
        pair = [words(20, attractors="none", seed=s) for s in (1, 1001)]
        model = own("noise-table")["scaled"](gain, 1)
        run = training.train(model, *pair, steps=300, learning_rate=1e-3)
        assert (run.stopped == "learned") is learned, (gain, words)


@pytest.mark.slow
def test_noise_seen_the_gain_helps_a_seed():
    scaled = own("noise-table")["scaled"]
    for gain, stopped in ((1, "budget"), (2.5, "learned")):
        pair = [task.AgreementTask(20, attractors="none", seed=s) for s in (3, 1003)]
        settings = {"steps": 1500, "learning_rate": 1e-3, "batch_size": 16}
        assert training.train(scaled(gain, 3), *pair, **settings).stopped == stopped


@pytest.mark.slow
def test_english_seen_without_openers_in_half_of_the_batches_it_needs_none():
    class Cut(task.AgreementTask):
        cuts = 0

        def batch(self, n):
            tokens, labels = super().batch(n)
            self.cuts += 1
            first = (tokens == WORDS.encode([","])[0]).int().argmax(dim=1)
            assert (first == first[0]).all()
            return tokens[:, int(first[0]) + 1 if self.cuts % 2 else 0 :], labels

    reader = networks.gru_classifier(V, update_bias=networks.bias_for_span(20), seed=1)
    pair = [Cut((3, 40), seed=seed) for seed in (1, 1001)]
    training.train(reader, *pair, steps=600, learning_rate=1e-2, target=2)
    unmet = {word for both in task.lexicon().held_out_nouns for word in both}
    group = [
        each
        for each in task.load_evaluation()
        if "," not in each.words[: each.subject] and not unmet & set(each.words)
    ]
    assert len(group) == 23
    assert task.evaluation_accuracy(reader, WORDS, group) > 0.88
