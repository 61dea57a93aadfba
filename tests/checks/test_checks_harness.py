"""What a learner's code may do to a check: nothing that ends in a traceback."""

from __future__ import annotations

import inspect
import io
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


def right_step(x, h, W, U, b):
    return np.tanh(W @ h + U @ x + b)


def step_into_h(x, h, W, U, b):
    h[:] = right_step(x, h, W, U, b)
    return h


def torch_step_into_h(x, h, W, U, b):
    return h.copy_(torch.tanh(W @ h + U @ x + b))


def jacobian_into_W(h, W):
    h[:] = 1 - h**2
    W *= h[:, None]
    return W


def bptt_into_its_arguments(h_t, h_before, x_t, W, dL_dh):
    dL_dh *= 1 - h_t**2
    terms = np.outer(dL_dh, h_before), np.outer(dL_dh, x_t)
    h_before[:] = W.T @ dL_dh
    return h_before, *terms


def gru_into_h(x, h, W, U, b, c):
    (i_r, i_z, i_n), (h_r, h_z, s) = np.split(W @ x + b, 3), np.split(U @ h + c, 3)
    r, z = 1 / (1 + np.exp(-i_r - h_r)), 1 / (1 + np.exp(-i_z - h_z))
    h *= z
    h += (1 - z) * np.tanh(i_n + r * s)
    return h


def words_from_behind(words, subject):
    words.reverse()
    verb = next(place for place, word in enumerate(words) if word in ("was", "were"))
    return len(words) - 1 - verb - subject - 1


def inf_marked(states):
    states[:] = np.isinf(states)
    return next((step for step, row in enumerate(states) if row.any()), None)


IN_PLACE = [
    ("rnn_step", step_into_h, "h"),
    ("rnn_step", torch_step_into_h, "h"),
    ("step_jacobian", jacobian_into_W, "W and h"),
    ("bptt_step", bptt_into_its_arguments, "dL_dh and h_before"),
    ("gru_step", gru_into_h, "h"),
    ("words_between", words_from_behind, "words"),
    ("first_inf", inf_marked, "states"),
]


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


def test_an_error_whose_words_end_the_program_is_named():
    class Final(Exception):
        def __str__(self):
            raise SystemExit

    assert "Final." in str(checks.rnn_step(raises(Final())))


def test_a_function_that_cannot_be_looked_at_is_called():
    class Closed:
        @property
        def __signature__(self):
            raise RuntimeError

        def __getattr__(self, name):
            raise RuntimeError

        def __call__(self, x, h, W, U, b):
            return right_step(x, h, W, U, b)

    def circle(x, h, W, U, b):
        return right_step(x, h, W, U, b) if len(h) != 5 else 1 / 0

    circle.__wrapped__ = circle
    assert checks.rnn_step(Closed()).passed
    assert "ZeroDivisionError" in str(checks.rnn_step(circle))


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (
            lambda x, h, W, U, b: torch.matmul(W, h) + torch.matmul(U.T, torch.cat([x, x])) + b,
            "size mismatch",
        ),
        (lambda x, h, W, U, b: torch.matmul(W, torch.cat([h, h])), "size mismatch"),
        (lambda x, h, W, U, b: (W @ h + U @ x + b).tanh().tann(), "no attribute 'tann'"),
        (lambda x, h, W, U, b: (W @ h + U @ x + b).astype(float).tann(), "numpy.ndarray"),
        (lambda x, h, W, U, b: (W @ h + U @ x + b).tann(), "numpy.ndarray"),
        (lambda x, h, W, U, b: np.tanh(W @ h, U, x, b), "takes from 1 to 2"),
    ],
    ids=["other place", "same place", "torch later", "numpy later", "either", "numpy"],
)
def test_the_error_is_that_of_the_kind_of_array_the_code_is_for(answer, says):
    assert says in str(checks.rnn_step(answer))


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
    assert "It returned more than 3" in str(result)


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


def test_what_torch_code_prints_is_shown_once_for_each_call(capsys):
    calls = []

    def answer(x, h, W, U, b):
        print(len(h), len(x))
        calls.append(len(h))
        return torch.tanh(W @ h + U @ x + b)

    assert checks.rnn_step(answer).passed
    assert len(calls) == 6
    assert capsys.readouterr().out == "4 4\n3 3\n5 2\n2 6\n1 3\n"


def test_what_a_stopped_function_printed_is_shown(in_a_hurry, capsys):
    def answer(*given):
        print("so far")
        while True:
            pass

    assert checks.rnn_step(answer).status == FAILED
    assert capsys.readouterr().out == "so far\n"


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


@pytest.mark.parametrize(("name", "answer", "changed"), IN_PLACE)
def test_a_right_answer_that_changed_its_arguments_is_right_and_told(name, answer, changed):
    result = getattr(checks, name)(answer)
    assert result.status == RIGHT
    assert result.points == checks.EXERCISES[name].points
    last = str(result).splitlines()[-1]
    assert last.strip().startswith(f"It also changed {changed}, which the caller may need")


def test_a_wrong_answer_that_changed_its_arguments_is_wrong_and_told():
    def answer(x, h, W, U, b):
        h += 1
        return right_step(x, h, W, U, b)

    result = checks.rnn_step(answer)
    assert result.status == WRONG_VALUES
    assert "It also changed h" in str(result)


def test_arguments_may_be_changed_into_anything():
    def answer(words, subject):
        count = [word in ("was", "were") for word in words].index(True) - subject - 1
        words[0] = np.array([None])
        return count

    result = checks.words_between(answer)
    assert result.passed
    assert "It also changed words" in str(result)

    def answer_in_torch(x, h, W, U, b):
        new = torch.tanh(W @ h + U @ x + b)
        W.data = W.bfloat16()
        return new

    result = checks.rnn_step(answer_in_torch)
    assert result.passed
    assert "It also changed W" in str(result)


def test_each_call_gets_fresh_copies():
    seen = []

    def answer(words, subject):
        seen.append(list(words))
        words.clear()
        return 0

    first, second = checks.words_between(answer), checks.words_between(answer)
    assert "It also changed words" in str(first)
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
        warnings.simplefilter("error")
        sys.setrecursionlimit(5000)
        sys.stdout = io.StringIO()
        torch.use_deterministic_algorithms(True)
        step = right_step(x, h, W, U, b)
        np.sinh = torch.sinh = np.sin
        return step

    def settings():
        state = np.random.get_state()  # noqa: NPY002
        return (
            random.getstate(), state[1].tolist(), state[2], torch.get_rng_state().tolist(),
            torch.get_default_dtype(), torch.is_grad_enabled(), torch.get_num_threads(),
            tuple(np.geterr().items()), list(warnings.filters), sys.getrecursionlimit(),
            sys.stdout, torch.are_deterministic_algorithms_enabled(), np.sinh, torch.sinh,
        )  # fmt: skip

    before = settings()
    assert checks.rnn_step(careless).passed
    assert settings() == before


def test_a_function_that_changes_numpy_is_compared_with_what_is_right():
    def answer(x, h, W, U, b):
        np.tanh = lambda value: value
        return W @ h + U @ x + b

    tanh = np.tanh
    assert "where is the tanh" in str(checks.rnn_step(answer))
    assert np.tanh is tanh


def test_settings_of_the_notebook_do_not_reach_the_checks():
    def train_step(model, loss, optimizer, c):
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), c)
        optimizer.step()

    with torch.no_grad():
        assert checks.train_step(train_step).passed
    with torch.inference_mode():
        assert checks.train_step(train_step).passed
    with torch.device("meta"):
        assert checks.train_step(train_step).passed
    with np.errstate(all="raise"):
        result = checks.growing_matrix(lambda: [[0.5, 1e-300], [0, 0.5]])
        assert "not above 1,000" in str(result)
    torch.set_default_dtype(torch.float64)
    try:
        assert checks.train_step(train_step).passed
        assert checks.fool_the_latch(lambda: ("the cat , which saw the dogs ,", "was")).passed
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("name", NAMES)
def test_the_checks_own_arithmetic_warns_of_nothing(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for returned in (0.0, 1e300, np.zeros((2, 2)), [np.zeros(3)] * 2):
            result = getattr(checks, name)(lambda *given, returned=returned: returned)
            assert result.status in STATUSES


@pytest.mark.parametrize("name", ["rnn_step", "growth_for"])
def test_a_number_too_large_for_a_float_is_told(name):
    result = getattr(checks, name)(lambda *given: 10**400)
    assert result.status == FAILED
    assert "It returned a whole number beyond any float's range" in str(result)


@pytest.mark.parametrize("name", ["words_between", "growth_for", "bias_for_span", "first_inf"])
def test_where_one_number_is_needed_no_array_is_asked_for(name):
    result = getattr(checks, name)(lambda *given: "four")
    assert "It returned a value of type str; a real number is needed." in str(result)


def test_what_shift_and_tab_show_holds_no_solution():
    for name in NAMES:
        shown = inspect.getdoc(getattr(checks, name))
        assert shown.startswith("Check a ")
        for solution in ("tanh", "diag", "h^2", "backward", "logistic", "log", "min(", "**"):
            assert solution not in shown


def test_the_same_answer_gets_the_same_words():
    for name in NAMES:
        check = getattr(checks, name)
        assert str(check(lambda *given: 0.25)) == str(check(lambda *given: 0.25))


def test_a_result_is_a_value():
    result = checks.rnn_step(right_step)
    assert (result.exercise, result.status, result.points) == ("rnn_step", RIGHT, 2)


def test_a_thread_that_ends_in_time_keeps_its_value():
    assert limits.limited(lambda: 7, 5) == 7
    with pytest.raises(ZeroDivisionError):
        limits.limited(lambda: 1 / 0, 5)
    assert sys.getrecursionlimit() > 500
