"""What notebook 08 says, measured over several seeds by its own cells, and read in the record."""

import functools

import numpy as np
import pytest
import torch
from cells import cells, functions

from helpers import measure, networks, record, task, training

V = len(task.vocabulary())


@functools.cache
def notebook(*ids):
    """The names that these cells leave."""
    return cells("08", "imports", *ids, coin=task.coin)


@functools.cache
def own(*ids):
    """The functions that these cells define."""
    return functions("08", "imports", *ids, V=V, coin=task.coin)


@functools.cache
def board():
    return record.load_record()


def notebooks_look():
    """The notebook's `look`."""
    return notebook("film-look")["look"]


def filmed(seed, make_task, steps, rate, look, attractors="none", every=5):
    model = networks.gru_classifier(V, seed=seed)
    pair = [make_task(100, attractors=attractors, seed=s) for s in (seed, 1000 + seed)]
    target = 2 if make_task is not task.AgreementTask else 0.95
    settings = {"learning_rate": rate, "check_every": every, "batch_size": 16, "target": target}
    run = training.train(model, *pair, steps=steps, watch=look, **settings)
    signal, _, loss = np.array(run.watched).T
    return every * np.arange(len(loss)), signal, loss


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_film_seen_the_signal_arrives_before_the_loss_falls(seed):
    steps, signal, loss = filmed(seed, task.AgreementTask, 400, 3e-2, notebooks_look())
    assert signal[0] < 1e-17
    arrived, fell = steps[signal > 1e-2][0], steps[loss < 0.5][0]
    assert 10 <= arrived <= 90
    assert 5 <= fell - arrived <= 60


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2])
def test_film_seen_with_random_nouns_the_wait_is_longer(seed):
    tokens, labels = task.AgreementTask(100, seed=500).batch(32)

    def look(model):
        signal = measure.signal(model, tokens)
        with torch.no_grad():
            loss = torch.nn.functional.cross_entropy(model(tokens), labels).item()
        return np.median(signal[:, -101] / signal[:, -1]), 0.0, loss

    steps, signal, loss = filmed(seed, task.AgreementTask, 900, 3e-2, look, "random", every=10)
    assert steps[loss < 0.5][0] - steps[signal > 1e-2][0] >= 40


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_coin_seen_most_of_the_way_without_a_message(seed):
    coin_task = own("coin-run")["CoinTask"]
    torch.manual_seed(seed)
    rises = []
    for rate in (3e-2, 1e-2):
        _, signal, _ = filmed(seed, coin_task, 120, rate, notebooks_look())
        rises.append(np.log10(signal.max() / signal[0]))
    assert rises[0] > 12
    assert 2 < rises[1] < rises[0]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1])
def test_hold_seen(seed):
    held = own("hold-none")["held"]
    assert 35 < held("drawn", "none", seed) < 65
    assert 78 < held("constant", "none", seed) < 95
    assert held("free", "none", seed) >= 95
    assert 60 < held("constant", "random", seed) < 82


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1])
def test_attractors_seen(seed):
    for make, middle, low, high in (
        (networks.gru_classifier, "none", 0, 0.2),
        (networks.gru_classifier, "random", 0.95, 1),
        (networks.leaky_classifier, "random", 0.65, 1),
    ):
        options = {} if make is networks.leaky_classifier else {"update_bias": 3.0}
        model = make(V, seed=seed, **options)
        pair = [task.AgreementTask((5, 20), attractors=middle, seed=s) for s in (seed, 1000 + seed)]
        training.train(model, *pair, steps=600, learning_rate=1e-2, target=0.99)
        opposite = task.AgreementTask(20, attractors="opposite", seed=5)
        assert low <= training.accuracy(model, opposite) <= high, (make, middle)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [3])
def test_gate_words_most_is_written_at_the_subject(seed):
    model = networks.gru_classifier(V, update_bias=networks.bias_for_span(20), seed=seed)
    pair = [task.AgreementTask((5, 20), seed=s) for s in (seed, 1000 + seed)]
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


def test_explode_run():
    assert min(notebook("explode-run")["factors"]) > 1.05


def test_board_none_seen():
    for name, gap, learned in (
        ("RNN", 5, 10),
        ("RNN", 20, 0),
        ("RNN, orthogonal", 20, 0),
        ("ReLU, identity", 20, 10),
        ("leaky", 20, 10),
        ("residual", 20, 10),
        *((name, 1000, 3) for name in ("GRU", "GRU, log(gap)", "GRU, log(100)")),
        ("LSTM, both log(gap)", 1000, 3),
    ):
        cell = board().cell(name, "none", gap)
        assert cell.learned == learned, (name, gap)
    assert 0 < board().cell("RNN", "none", 10).learned < 10


def test_board_none_seen_80_and_10_000():
    learned = {
        name: board().cell(name, "none", 80).learned
        for name in ("ReLU, identity, small U", "ReLU, identity", "residual", "leaky")
    }
    assert list(learned.values()) == [10, 10, 10, 0]
    assert board().cell("GRU", "none", 10_000).learned_at == (380, 120, 160)
    longer = board().cell("RNN", "random", 10).longer
    assert sorted(sum(map(bool, steps)) for steps in longer.values()) == [0, 1, 1]


def test_07_lstm_seen_the_forget_bias_alone_is_slow():
    alone, both = (
        board().cell(name, "none", 80) for name in ("LSTM, forget log(gap)", "LSTM, both log(gap)")
    )
    assert (alone.learned, alone.median_steps, alone.rate) == (9, 780, 1e-3)
    assert (both.learned, both.median_steps, both.rate) == (10, 100, 1e-2)


def test_board_random_seen_the_bias_saves_steps():
    found = [
        board().cell(name, "random", 1000) for name in ("GRU", "GRU, log(gap)", "GRU, log(100)")
    ]
    assert [cell.median_steps for cell in found] == [1180, 320, 160]
    assert [cell.learned for cell in found] == [3, 3, 3]
    assert board().cell("GRU", "random", 300).learned == 4


def test_board_tested_seen_short_sentences_of_many_lengths():
    mixed = board().cell("RNN", "random", (3, 15))
    assert mixed.right("opposite", 1000) == mixed.seeds == 10


@pytest.mark.slow
def test_ex_break_answer_beats_the_board_with_another_seed():
    model = networks.rnn_classifier(V, seed=1)
    for gaps, rate in (((3, 5), 3e-3), ((3, 10), 2e-3), ((3, 20), 2e-3)):
        pair = [task.AgreementTask(gaps, attractors="none", seed=s) for s in (1, 1001)]
        training.train(model, *pair, steps=500, learning_rate=rate, target=2)
    fresh = task.AgreementTask(20, attractors="none", seed=77)
    assert training.accuracy(model, fresh) > 0.95


@pytest.mark.parametrize("seed", [1])
def test_noise_table_sentences_agree_where_they_teach(seed):
    many, _ = task.AgreementTask(20, attractors="none", seed=9).batch(256)
    assert measure.agreement(networks.leaky_classifier(V, seed=seed), many, -21) > 0.75
    loud = own("noise-table")["scaled"](3, seed)
    assert abs(measure.agreement(loud, many, -21)) < 0.3
    signal = measure.signal(loud.double(), many[:32])
    assert np.median(signal[:, -21] / signal[:, -1]) > 0.2


@pytest.mark.parametrize("seed", [1])
def test_noise_seen_without_noise_the_same_signal_teaches(seed):
    one, _ = task.AgreementTask(20, attractors="none", seed=40 + seed).batch(1)

    class OneSentence(task.AgreementTask):
        def batch(self, n):
            tokens, labels = super().batch(n)
            same = one.repeat(n, 1)
            same[:, -21] = tokens[:, -21]
            return same, labels

    tried = (1, OneSentence, False), (3, OneSentence, True), (3, task.AgreementTask, False)
    for gain, words, learned in tried:
        pair = [words(20, attractors="none", seed=s) for s in (seed, 1000 + seed)]
        model = own("noise-table")["scaled"](gain, seed)
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
def test_english_seen():
    space = notebook("english-guess", "english-run")

    def rule(tokens):
        return torch.nn.functional.one_hot(task.first_noun(tokens, task.vocabulary()), 2)

    groups, percent = space["groups"], space["percent"]
    assert [len(group) for group in groups.values()] == [56, 23, 30]
    assert task.evaluation_accuracy(rule, task.vocabulary(), groups["no opener"]).accuracy == 1
    assert percent["familiar"] > 94
    assert percent["no opener"] < 95
    assert 30 < percent["new subject"] < 65
