"""What a learner's code may do to a check: nothing that ends in a traceback."""

from __future__ import annotations

import itertools
import random
import sys
import threading
import time
import warnings

import numpy as np
import pytest
import torch

from helpers import checks
from helpers.checks import harness, limits
from helpers.checks.results import FAILED, NOT_ATTEMPTED, RIGHT, STATUSES, WRONG_VALUES

NAMES = list(checks.EXERCISES)
CODE = [name for name, exercise in checks.EXERCISES.items() if exercise.kind == "code"]
TAKES_ARRAYS = {
    "rnn_step": lambda given: given[0],
    "step_jacobian": lambda given: given[1],
    "bptt_step": lambda given: (given[0], given[2]),
    "first_inf": lambda given: 0,
    "gru_step": lambda given: given[1],
}


def right_step(x, h, W, U, b):
    return np.tanh(W @ h + U @ x + b)


@pytest.fixture
def in_a_hurry(monkeypatch):
    monkeypatch.setattr(harness, "SECONDS", 0.2)


def raises(error):
    def answer(*given):
        raise error

    return answer


@pytest.mark.parametrize("name", NAMES)
def test_an_untouched_stub_is_not_attempted(name):
    def stub(*given):
        """The docstring that stands above the stub."""
        # YOUR CODE HERE
        raise NotImplementedError()

    result = getattr(checks, name)(stub)
    assert (result.status, result.points, result.passed) == (NOT_ATTEMPTED, 0, False)
    assert str(result) == f"{name}: not attempted yet."


def test_a_stub_that_was_written_into_is_told_of_its_last_line():
    def answer(x, h, W, U, b):
        a = W @ h + U @ x + b
        print(end="")
        raise NotImplementedError()
        return np.tanh(a)

    result = checks.rnn_step(answer)
    assert result.status == FAILED
    assert "is still there" in str(result)


def test_someone_elses_not_implemented_error_is_a_failure():
    def helper():
        raise NotImplementedError

    assert checks.rnn_step(lambda x, h, W, U, b: helper()).status == FAILED
    assert checks.rnn_step(raises(NotImplementedError("not for Half"))).status == FAILED


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "error",
    [ValueError("bad\nnews"), SystemExit(3), KeyboardInterrupt(), GeneratorExit(), MemoryError()],
    ids=lambda error: type(error).__name__,
)
def test_what_is_raised_is_named(name, error):
    result = getattr(checks, name)(raises(error))
    assert result.status == FAILED
    assert type(error).__name__ in str(result)
    assert "news" not in str(result)
    assert "line 2 of answer: raise error" in str(result)


def test_an_error_that_cannot_be_printed_is_named():
    class Mute(Exception):
        def __str__(self):
            raise RuntimeError

    assert "Mute." in str(checks.rnn_step(raises(Mute())))


def test_a_failure_on_later_sizes_tells_the_shapes():
    def answer(x, h, W, U, b):
        return np.tanh(W @ h + U @ (x if len(x) == len(h) else x[None]) + b)

    text = str(checks.rnn_step(answer))
    assert "ValueError" in text
    assert "x (2,), h (5,), W (5, 5), U (5, 2) and b (5,)" in text


def test_recursion_without_end_is_named():
    def answer(*given):
        return answer(*given)

    assert "RecursionError" in str(checks.rnn_step(answer))


@pytest.mark.parametrize("name", sorted({*NAMES} - {"first_inf", "train_step"}))
def test_none_is_told(name):
    result = getattr(checks, name)(lambda *given: None)
    assert result.status == FAILED
    assert "returned None" in str(result)


@pytest.mark.parametrize("name", NAMES)
def test_a_loop_without_end_is_stopped(name, in_a_hurry):
    def answer(*given):
        while True:
            pass

    threads = threading.active_count()
    result = getattr(checks, name)(answer)
    assert result.status == FAILED
    assert "did not end within 0.2 s" in str(result)
    assert threading.active_count() == threads


def test_a_loop_that_catches_everything_leaves_a_message(in_a_hurry, monkeypatch):
    monkeypatch.setattr(limits, "GRACE", 0.1)
    go_on = [True]

    def answer(*given):
        while go_on[0]:
            try:
                time.sleep(0.001)
            except BaseException:
                continue

    result = checks.rnn_step(answer)
    go_on[0] = False
    assert result.status == FAILED
    assert "restart the kernel" in str(result)


def test_a_generator_is_read_no_further_than_needed():
    result = checks.bptt_step(lambda *given: itertools.count())
    assert "It returned more than 2" in str(result)


def test_nothing_is_printed_to_stderr(in_a_hurry, capfd):
    def answer(*given):
        while True:
            pass

    checks.rnn_step(answer)
    checks.rnn_step(raises(SystemExit(1)))
    assert capfd.readouterr() == ("", "")


def test_what_the_learner_prints_is_shown(capsys):
    def answer(x, h, W, U, b):
        print("here")
        return right_step(x, h, W, U, b)

    assert checks.rnn_step(answer).passed
    assert "here" in capsys.readouterr().out


def test_an_interrupt_stops_the_learners_code():
    def interrupted(self, timeout=None):
        monkey.undo()
        raise KeyboardInterrupt

    running = []

    def answer(*given):
        running.append(threading.current_thread())
        while True:
            pass

    monkey = pytest.MonkeyPatch()
    monkey.setattr(threading.Thread, "join", interrupted)
    try:
        with pytest.raises(KeyboardInterrupt):
            checks.rnn_step(answer)
    finally:
        monkey.undo()
    for thread in running:
        thread.join(2)
        assert not thread.is_alive()


@pytest.mark.parametrize("name", TAKES_ARRAYS)
def test_changed_inputs_are_told(name):
    def answer(*given):
        given[0][...] = 7
        return TAKES_ARRAYS[name](given)

    result = getattr(checks, name)(answer)
    assert result.status == FAILED
    assert "which the caller still needs" in str(result)


def test_each_call_gets_fresh_copies():
    seen = []

    def answer(words, subject):
        seen.append(list(words))
        words.clear()
        return 0

    first, second = checks.words_between(answer), checks.words_between(answer)
    assert "It changed words" in str(first)
    assert str(first) == str(second)
    assert seen[: len(seen) // 2] == seen[len(seen) // 2 :]


@pytest.mark.parametrize(
    "returned",
    [
        "words",
        object(),
        {"h": 1},
        [1, [2, 3]],
        1 + 2j,
        np.array(["a"]),
        True,
        int,
        lambda: 1,
        [None],
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_array_is_named(returned):
    result = checks.rnn_step(lambda *given: returned)
    assert result.status == FAILED
    assert "real numbers is needed" in str(result)


def test_values_that_are_not_finite_are_told():
    result = checks.rnn_step(lambda x, h, W, U, b: np.full(len(h), np.nan))
    assert result.status == WRONG_VALUES
    assert "inf or NaN" in str(result)


@pytest.mark.parametrize("answer", [None, 3, np.ones(4), "rnn_step"])
def test_what_is_no_function_is_told(answer):
    assert "needs your function itself" in str(checks.rnn_step(answer))


def test_other_arguments_are_told():
    result = checks.rnn_step(lambda h, x: h)
    assert "called with (x, h, W, U, b), in this order; yours takes (h, x)" in str(result)


def test_wrapped_and_callable_answers_are_accepted():
    class Step:
        def __call__(self, x, h, W, U, b):
            return right_step(x, h, W, U, b)

    assert checks.rnn_step(Step()).passed
    assert checks.rnn_step(torch.no_grad()(right_step)).passed
    assert checks.bias_for_span(lambda T, base=np.e: np.log(T - 1)).passed


def test_settings_of_the_libraries_stay_as_they_were():
    def careless(x, h, W, U, b):
        np.random.seed(1)  # noqa: NPY002
        random.seed(1)
        torch.manual_seed(1)
        torch.set_default_dtype(torch.float16)
        torch.set_grad_enabled(False)
        torch.set_num_threads(1)
        np.seterr(all="raise")
        return right_step(x, h, W, U, b)

    def settings():
        state = np.random.get_state()  # noqa: NPY002
        return (
            random.getstate(), state[1].tolist(), state[2], torch.get_rng_state().tolist(),
            torch.get_default_dtype(), torch.is_grad_enabled(), torch.get_num_threads(),
            tuple(np.geterr().items()),
        )  # fmt: skip

    before = settings()
    assert checks.rnn_step(careless).passed
    assert settings() == before


def test_settings_of_the_notebook_do_not_reach_the_checks():
    def train_step(model, loss, optimizer, c):
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), c)
        optimizer.step()

    with torch.no_grad():
        assert checks.train_step(train_step).passed
        assert checks.guess_gru_factor(lambda: 1).passed
        assert checks.guess_extra_weights(lambda: 1).passed
    torch.set_default_dtype(torch.float64)
    try:
        assert checks.train_step(train_step).passed
        assert checks.fool_the_latch(lambda: ("the cat , which saw the dogs ,", "was")).passed
        assert "8.5 %" in str(checks.guess_share(lambda: 1))
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("name", CODE)
def test_the_checks_own_arithmetic_warns_of_nothing(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for returned in (0.0, 1e300, np.zeros((2, 2)), [np.zeros(3)] * 2):
            result = getattr(checks, name)(lambda *given, returned=returned: returned)
            assert result.status in STATUSES


def test_the_same_answer_gets_the_same_words():
    for name in NAMES:
        check = getattr(checks, name)
        assert str(check(lambda *given: 0.25)) == str(check(lambda *given: 0.25))


def test_a_result_is_a_value():
    result = checks.rnn_step(right_step)
    assert (result.exercise, result.status, result.points) == ("rnn_step", RIGHT, 2)
    with pytest.raises(AttributeError):
        result.status = FAILED


def test_a_thread_that_ends_in_time_keeps_its_value():
    assert limits.limited(lambda: 7, 5) == 7
    with pytest.raises(ZeroDivisionError):
        limits.limited(lambda: 1 / 0, 5)
    assert sys.getrecursionlimit() > 500
