"""helpers.training: learning, its history, its threads, and every way to stop."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from helpers.networks.classifiers import rnn_classifier
from helpers.task.agreement import AgreementTask, vocabulary
from helpers.training import accuracy, train

NEVER = 1.01  # a target out of reach


def tasks(gap=5, seed=0):
    return AgreementTask(gap, seed=10 + seed), AgreementTask(gap, seed=20 + seed)


def network(seed=0, **options):
    return rnn_classifier(len(vocabulary()), seed=seed, **options)


def run(seed=0, gap=5, model=None, **options):
    """The model and its history, 60 steps of Adam at 3e-3 unless told otherwise."""
    model = network(seed) if model is None else model
    options = {"steps": 60, "learning_rate": 3e-3, **options}
    return model, train(model, *tasks(gap, seed), **options)


def copied(model):
    return copy.deepcopy(model.state_dict())


def same(model, state):
    return all(torch.equal(value, state[name]) for name, value in model.state_dict().items())


class Constant(nn.Module):
    """The same two logits for every sentence: scale * weight + bias."""

    def __init__(self, weight=(1.0, 0.0), scale=1.0):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))
        self.bias = nn.Parameter(torch.zeros(2))
        self.scale = scale

    def forward(self, tokens):
        return (self.scale * self.weight + self.bias).expand(len(tokens), 2)


class Watched:
    """A task that calls `look` at each batch and keeps the sizes asked for."""

    def __init__(self, task, look=lambda: None):
        self.task, self.look, self.sizes = task, look, []

    def batch(self, n):
        self.sizes.append(n)
        self.look()
        return self.task.batch(n)


class TestLearning:
    def test_gap_5_is_learned_and_the_first_check_that_says_so_ends_it(self):
        model, history = run(steps=400, check_every=30)
        steps, scores = zip(*history.checks, strict=True)
        assert steps == tuple(range(30, history.learned_at + 1, 30))
        assert max(scores[:-1]) < 0.95 <= scores[-1] == history.accuracy
        assert len(history.loss) == history.learned_at < 400
        assert history.message == f"learned after ~ {history.learned_at} steps"
        assert accuracy(model, AgreementTask(5, seed=99), 512) > 0.9

    def test_learned_at_the_last_step_counts_as_learned(self):
        _, history = run(steps=3, target=0.01)
        assert (history.stopped, history.learned_at) == ("learned", 3)

    @pytest.mark.parametrize(("steps", "checked"), [(50, [20, 40, 50]), (40, [20, 40])])
    def test_the_budget_ends_it_with_a_check_of_the_model_that_is_left(self, steps, checked):
        model, history = run(steps=steps, target=NEVER)
        assert (history.stopped, history.learned_at) == ("budget", None)
        assert [step for step, _ in history.checks] == checked
        assert len(history.loss) == steps
        said = f"not learned in {steps} steps (accuracy ~ {history.accuracy:.2f})"
        assert history.message == said
        fresh = tasks()[1]
        assert [accuracy(model, fresh, 256) for _ in checked][-1] == history.accuracy

    def test_batches_are_as_asked_for(self):
        task, fresh = map(Watched, tasks())
        train(network(), task, fresh, steps=3, learning_rate=1e-3, batch_size=7, check_every=2)
        assert task.sizes == [7, 7, 7]
        assert fresh.sizes == 2 * [64, 64, 64, 64]


class TestWatch:
    def test_is_called_before_the_first_step_and_at_each_check(self):
        seen = []

        def watch(model):
            seen.append(copied(model))
            return len(seen)

        model = network()
        before = copied(model)
        _, history = run(model=model, steps=5, check_every=2, target=NEVER, watch=watch)
        assert history.watched == (1, 2, 3, 4)
        assert [step for step, _ in history.checks] == [2, 4, 5]
        assert all(torch.equal(seen[0][name], before[name]) for name in before)
        assert same(model, seen[-1])

    def test_ends_with_the_parameters_that_are_kept(self):
        """A run that turns non-finite is watched once more, when the step is undone."""
        model = Constant(scale=float("inf"))
        _, history = run(model=model, steps=5, watch=copied)
        assert history.stopped == "non-finite"
        assert len(history.watched) == len(history.checks) + 1
        assert same(model, history.watched[-1])


class TestHistory:
    @pytest.mark.parametrize(
        ("optimizer", "clip_norm", "rule"),
        [
            ("adam", None, "by norm"),
            ("adam", 0.3, "by norm"),
            ("sgd", 0.3, "by norm"),
            ("sgd", 0.01, "by value"),
            ("sgd", 0.1, "per tensor"),
        ],
    )
    def test_is_that_of_a_plain_loop(self, optimizer, clip_norm, rule):
        model, plain = network(1), network(1)
        options = {"optimizer": optimizer, "clip_norm": clip_norm, "learning_rate": 0.01}
        _, history = run(1, model=model, steps=25, target=NEVER, rule=rule, **options)

        makes = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}
        stepper = makes[optimizer](plain.parameters(), lr=0.01)
        task, _ = tasks(seed=1)
        threshold = np.inf if clip_norm is None else clip_norm
        losses, norms, factors = [], [], []
        for _ in range(25):
            tokens, labels = task.batch(32)
            logits = plain(tokens)
            right = logits.gather(1, labels[:, None])[:, 0]
            loss = (logits.logsumexp(dim=1) - right).mean()
            stepper.zero_grad()
            loss.backward()
            gradients = [parameter.grad for parameter in plain.parameters()]
            norm = sum(float(each.square().sum()) for each in gradients) ** 0.5
            factor = min(1.0, threshold / (norm + 1e-6))
            for each in gradients:
                if rule == "by value":
                    each.clamp_(-threshold, threshold)
                elif rule == "per tensor":
                    each *= min(1.0, threshold / float(each.norm() + 1e-6))
                else:
                    each *= factor
            stepper.step()
            losses.append(loss.item())
            norms.append(norm)
            factors.append(factor)

        np.testing.assert_allclose(history.loss, losses, rtol=1e-3)
        np.testing.assert_allclose(history.gradient_norm, norms, rtol=1e-3)
        np.testing.assert_allclose(history.clip_coefficient, factors, rtol=1e-3)
        for ours, theirs in zip(model.parameters(), plain.parameters(), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=2e-3)
        assert (min(factors) < 1) == (clip_norm is not None)

    def test_clips_at_norm_1_unless_told_otherwise(self):
        model = Constant(scale=10.0)
        before = copied(model)
        _, history = run(model=model, optimizer="sgd", learning_rate=0.5, steps=1)
        assert history.gradient_norm[0] > 5
        assert history.clip_coefficient[0] == pytest.approx(1 / history.gradient_norm[0])
        step = torch.cat([value - before[name] for name, value in model.state_dict().items()])
        assert step.norm().item() == pytest.approx(0.5, rel=1e-5)


class TestThreads:
    @pytest.fixture(autouse=True)
    def two_threads(self):
        before = torch.get_num_threads()
        torch.set_num_threads(2)
        yield
        torch.set_num_threads(before)

    def test_same_seeds_same_losses_on_one_thread_and_two(self):
        model, first = run(steps=40, target=NEVER)
        torch.set_num_threads(1)
        for _ in range(2):
            again, other = run(steps=40, target=NEVER)
            assert first.loss.tobytes() == other.loss.tobytes()
            assert first.gradient_norm.tobytes() == other.gradient_norm.tobytes()
            assert first.checks == other.checks
            assert same(again, model.state_dict())

    def test_one_inside_and_two_afterwards(self):
        seen = []
        watched = [Watched(task, lambda: seen.append(torch.get_num_threads())) for task in tasks()]
        train(network(), *watched, steps=2, learning_rate=1e-3)
        accuracy(Constant(), watched[0], 65)
        assert seen == [1] * (2 + 4 + 2)
        assert torch.get_num_threads() == 2

    def test_two_again_after_an_exception(self):
        def fail():
            assert torch.get_num_threads() == 1
            raise KeyboardInterrupt

        task, fresh = tasks()
        for watched in ((Watched(task, fail), fresh), (task, Watched(fresh, fail))):
            with pytest.raises(KeyboardInterrupt):
                train(network(), *watched, steps=2, learning_rate=1e-3)
            assert torch.get_num_threads() == 2


class TestNonFinite:
    """Every parameter stays finite, and the accuracy at the end is taken without an error."""

    def stopped(self, model, history, steps):
        assert history.stopped == "non-finite"
        assert history.learned_at is None
        assert len(history.loss) == len(history.clip_coefficient) == steps
        assert history.checks[-1][0] == steps
        assert 0 <= history.accuracy <= 1
        assert all(bool(p.isfinite().all()) for p in model.parameters())

    @pytest.mark.parametrize(
        ("options", "settings", "cause"),
        [
            ({"weight": (3e38, -3e38)}, {}, "the loss"),  # though the gradient is finite
            ({"scale": 1e25}, {}, "the gradient's norm"),  # though each of its entries is finite
            (
                {"scale": 10.0},
                {"optimizer": "sgd", "clip_norm": None, "learning_rate": 3e38},
                "a parameter",
            ),
        ],
    )
    def test_one_step_is_undone_in_all_parameters_and_its_cause_named(
        self, options, settings, cause
    ):
        model = Constant(**options)
        _, history = run(model=model, **settings)
        self.stopped(model, history, 1)
        assert np.isfinite(history.loss[0]) == (cause != "the loss")
        assert np.isfinite(history.gradient_norm[0]) == (cause != "the gradient's norm")
        assert same(model, Constant(**options).state_dict())
        said = f"stopped: {cause} turned non-finite at step ~ 1, which was not kept"
        assert history.message == said

    def test_the_step_before_the_overflow_is_kept(self):
        options = {"optimizer": "sgd", "clip_norm": None, "learning_rate": 1e3, "gap": 80}
        model, history = run(model=network(nonlinearity="linear"), **options)
        self.stopped(model, history, 2)
        assert np.isfinite(history.gradient_norm).tolist() == [True, False]
        once, _ = run(model=network(nonlinearity="linear"), **{**options, "steps": 1})
        assert same(model, once.state_dict())

    def test_huge_finite_weights_are_kept_and_can_be_checked(self):
        """Which of the next steps overflows is the kernels' affair; the weights are there."""
        model, history = run(optimizer="sgd", clip_norm=None, learning_rate=3e38)
        self.stopped(model, history, len(history.loss))
        assert len(history.loss) in (2, 3)
        assert np.isfinite(history.loss[:-1]).all()
        assert max(float(p.detach().abs().max()) for p in model.parameters()) > 1e35

    def test_clipping_can_save_the_same_step(self):
        model = Constant(scale=10.0)
        _, history = run(model=model, optimizer="sgd", clip_norm=1e-38, learning_rate=3e38, steps=1)
        assert history.stopped == "budget"
        assert not same(model, Constant().state_dict())


class TestAccuracy:
    @pytest.mark.parametrize(
        ("sentences", "sizes"), [(1, [1]), (64, [64]), (65, [64, 1]), (200, [64, 64, 64, 8])]
    )
    def test_every_sentence_counts_once(self, sentences, sizes):
        class Numbered:
            """Label 0 for all; the token is the sentence's number."""

            def __init__(self):
                self.sizes = []

            def batch(self, n):
                drawn = sum(self.sizes)
                self.sizes.append(n)
                return torch.arange(drawn, drawn + n)[:, None], torch.zeros(n, dtype=torch.long)

        def right_on_multiples_of_3(tokens):
            return nn.functional.one_hot((tokens[:, 0] % 3 > 0).long(), 2)

        task = Numbered()
        share = accuracy(right_on_multiples_of_3, task, sentences)
        assert task.sizes == sizes
        assert share == len(range(0, sentences, 3)) / sentences

    def test_builds_no_graph(self):
        seen = []

        class Spy(Constant):
            def forward(self, tokens):
                seen.append(super().forward(tokens).requires_grad)
                return super().forward(tokens)

        accuracy(Spy(), tasks()[0], 2)
        assert seen == [False]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, bad) for name in ("steps", "batch_size", "check_every") for bad in (0, 1.5, None)),
        *((name, bad) for name in ("learning_rate", "target") for bad in (0, np.nan, "1", None)),
        ("clip_norm", 0),
        ("clip_norm", np.inf),
        ("optimizer", "Adam"),
        ("rule", None),
    ],
)
def test_a_bad_argument_is_named_before_anything_is_drawn(name, value):
    model, task = Constant(), Watched(tasks()[0])
    with pytest.raises(ValueError, match=f"^{name} "):
        train(model, task, task, **{"steps": 1, "learning_rate": 0.1, name: value})
    assert task.sizes == []
    assert same(model, Constant().state_dict())


def test_no_sentences():
    with pytest.raises(ValueError, match=r"^sentences must be"):
        accuracy(Constant(), tasks()[0], 0)


class TestLine:
    """What a run prints: one line, rewritten in place, that ends in what happened."""

    def printed(self, capsys, **options):
        _, history = run(target=NEVER, **options)
        out, err = capsys.readouterr()
        assert err == ""
        return out, history

    def test_is_rewritten_at_each_check_and_ends_in_what_happened(self, capsys, monkeypatch):
        monkeypatch.delenv("COURSE_TRAINING")
        out, history = self.printed(capsys, steps=50, title="gap 5, seed 0")
        *going, last = out.split("\r")
        assert [line.rstrip() for line in going] == [
            f"gap 5, seed 0: step {step} of 50, accuracy {score:.2f}"
            for step, score in history.checks
        ]
        assert last.startswith(f"gap 5, seed 0: {history.message}, ~ ")
        assert out.count("\n") == 1

    def test_covers_what_stood_there_before(self, capsys, monkeypatch):
        monkeypatch.delenv("COURSE_TRAINING")
        run(steps=100_000, target=0.01, title="run")
        first, last = capsys.readouterr().out.split("\r")
        assert len(last.rstrip("\n")) == len(first) > len(last.rstrip())

    def test_only_its_end_is_stored(self, capsys):
        out, history = self.printed(capsys, steps=20, title="run")
        assert out.startswith(f"run: {history.message}, ~ ")
        assert "\r" not in out

    def test_nothing_is_printed_without_a_title(self, capsys):
        assert self.printed(capsys, steps=20)[0] == ""
