"""What a learner's code may do to a check: nothing that ends in a traceback."""

from __future__ import annotations

import _thread
import inspect
import io
import itertools
import random
import signal
import sys
import threading
import time
import warnings

import numpy as np
import pytest
import torch

from helpers import checks
from helpers.checks import attempt
from helpers.checks.results import FAILED, NOT_ATTEMPTED, STATUSES, WRONG_VALUES

NAMES = list(checks.EXERCISES)
DONE = "done = True\n"


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


def gru_into_h(x, h, W, U, b, b_h):
    (i_r, i_z, i_n), (h_r, h_z, s) = np.split(U @ x + b, 3), np.split(W @ h + b_h, 3)
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
    monkeypatch.setattr(attempt, "SECONDS", 0.2)


def raises(error):
    def answer(*given):
        raise error

    return answer


def test_an_untouched_stub_is_not_attempted():
    def stub(*given):
        """The docstring that stands above the stub."""
        # YOUR CODE HERE
        raise NotImplementedError()

    for name in NAMES:
        result = getattr(checks, name)(stub)
        assert (result.status, result.points, result.passed) == (NOT_ATTEMPTED, 0, False)
        assert str(result) == f"{name}: not attempted yet."


def test_a_stub_that_was_written_into_is_told_of_its_last_line():
    def answer(x, h, W, U, b):
        a = W @ h + U @ x + b
        print(end="")
        raise NotImplementedError()
        return np.tanh(a)

    assert "is still there" in str(checks.rnn_step(answer))


def test_someone_elses_not_implemented_error_is_a_failure():
    def helper():
        raise NotImplementedError

    assert checks.rnn_step(lambda x, h, W, U, b: helper()).status == FAILED
    assert checks.rnn_step(raises(NotImplementedError("not for Half"))).status == FAILED


@pytest.mark.parametrize("error", [ValueError("bad\nnews"), SystemExit(3), MemoryError()])
def test_what_is_raised_is_named_with_the_learners_line(error):
    for name in NAMES:
        result = getattr(checks, name)(raises(error))
        assert result.status == FAILED
        assert type(error).__name__ in str(result)
        assert "news" not in str(result)
        assert "line 2 of answer: raise error" in str(result)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda x, h, W, U, b: torch.matmul(W, torch.cat([h, h])), "size mismatch"),
        (lambda x, h, W, U, b: (W @ h + U @ x + b).astype(float).tann(), "numpy.ndarray"),
        (lambda x, h, W, U, b: (W @ h + U @ x + b).tann(), "numpy.ndarray"),
        (lambda x, h, W, U, b: np.tanh(W @ h, U, x, b), "takes from 1 to 2"),
    ],
    ids=["torch", "numpy later", "either", "numpy"],
)
def test_the_error_is_that_of_the_kind_of_array_the_code_is_for(answer, says):
    assert says in str(checks.rnn_step(answer))


def test_the_error_further_down_tells_the_kind():
    def answer(x, h, W, U, b):
        new = (W @ h + U @ x + b).tanh()
        return new.tann()

    assert "'Tensor' object has no attribute 'tann'" in str(checks.rnn_step(answer))


def test_a_failure_on_later_sizes_tells_the_shapes():
    def answer(x, h, W, U, b):
        return np.tanh(W @ h + U @ (x if len(x) == len(h) else x[None]) + b)

    assert "x (2,), h (5,), W (5, 5), U (5, 2) and b (5,)" in str(checks.rnn_step(answer))


def test_recursion_without_end_is_named():
    def answer(*given):
        return answer(*given)

    assert "RecursionError" in str(checks.rnn_step(answer))


def test_none_is_told_as_always_or_as_on_some_inputs():
    always = checks.rnn_step(lambda x, h, W, U, b: None)
    assert "It returned None. Is the return statement missing?" in str(always)

    def answer(x, h, W, U, b):
        if len(x) == len(h):
            return right_step(x, h, W, U, b)

    text = str(checks.rnn_step(answer))
    assert "It returned None for 3 of 5 inputs, the first with x (2,), h (5,)," in text
    assert "Is the return statement missing?" not in text


@pytest.mark.parametrize("name", ["rnn_step", "train_step", "fool_the_latch"])
def test_a_loop_without_end_is_stopped(name, in_a_hurry, capfd):
    def answer(*given):
        while True:
            try:
                sum(range(100))
            except Exception:
                continue

    threads, handler = threading.active_count(), signal.getsignal(signal.SIGINT)
    result = getattr(checks, name)(answer)
    assert result.status == FAILED
    assert "did not end within 0.2 s" in str(result)
    assert threading.active_count() == threads
    assert signal.getsignal(signal.SIGINT) is handler
    assert capfd.readouterr() == ("", "")


def test_an_import_is_never_cut_off(in_a_hurry, tmp_path, monkeypatch):
    (tmp_path / "slow_module.py").write_text(
        "import time\nend = time.monotonic() + 1\nwhile time.monotonic() < end:\n    pass\n" + DONE
    )
    monkeypatch.syspath_prepend(tmp_path)

    def answer(*given):
        import slow_module  # noqa: F401

        while True:
            pass

    assert "did not end" in str(checks.rnn_step(answer))
    assert sys.modules.pop("slow_module").done


def test_a_stop_between_imports_leaves_whole_modules(tmp_path, monkeypatch):
    """Each module imports the next, and the time runs out at another place in every round."""
    rounds, length = 12, 40
    for number in range(rounds * length):
        last = number % length == length - 1
        after = "" if last else f"import chained_{number + 1}\n"
        (tmp_path / f"chained_{number}.py").write_text(f"x = sum(range(20_000))\n{after}{DONE}")
    monkeypatch.syspath_prepend(tmp_path)
    for start in range(rounds):
        monkeypatch.setattr(attempt, "SECONDS", 0.005 * (start + 1))

        def answer(*given, start=start):
            for number in reversed(range(start * length, (start + 1) * length)):
                __import__(f"chained_{number}")
            while True:
                pass

        assert "did not end" in str(checks.rnn_step(answer))
    imported = [name for name in sys.modules if name.startswith("chained_")]
    assert imported
    assert all(sys.modules.pop(name).done for name in imported)


def test_a_keyboard_interrupt_stops_the_learners_code_and_reaches_the_notebook():
    def answer(*given):
        _thread.interrupt_main()
        while True:
            pass

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            checks.rnn_step(answer)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_outside_the_main_thread_the_check_works_without_a_limit():
    results = []
    thread = threading.Thread(target=lambda: results.append(checks.rnn_step(right_step)))
    thread.start()
    thread.join()
    assert results[0].passed


def test_what_is_limited_keeps_its_value_and_its_error(in_a_hurry):
    assert attempt.limited(lambda: 7, 5) == 7
    with pytest.raises(ZeroDivisionError):
        attempt.limited(lambda: 1 / 0, 5)
    with pytest.raises(attempt.OutOfTime):
        attempt.limited(lambda: [time.sleep(0.01) for _ in range(1000)], 0.1)


def test_what_torch_code_prints_is_shown_once_for_each_call(capsys):
    def answer(x, h, W, U, b):
        print(len(h), len(x))
        return torch.tanh(W @ h + U @ x + b)

    assert checks.rnn_step(answer).passed
    assert capsys.readouterr().out == "4 4\n3 3\n5 2\n2 6\n1 3\n"


def test_what_a_stopped_function_printed_is_shown(in_a_hurry, capsys):
    def answer(*given):
        print("so far")
        while True:
            pass

    assert checks.rnn_step(answer).status == FAILED
    assert capsys.readouterr().out == "so far\n"


@pytest.mark.parametrize(("name", "answer", "changed"), IN_PLACE)
def test_a_right_answer_that_overwrites_its_arguments_does_not_pass(name, answer, changed):
    result = getattr(checks, name)(answer)
    assert (result.status, result.points) == (WRONG_VALUES, 0)
    assert f"{name}: right values, but an argument changed." in str(result)
    assert f"It overwrote {changed}, and the caller still needs the old values." in str(result)


def test_a_wrong_answer_that_changed_its_arguments_is_wrong_and_told():
    def answer(x, h, W, U, b):
        h += 1
        return right_step(x, h, W, U, b)

    assert "right shape, wrong values" in str(checks.rnn_step(answer))
    assert "It also overwrote h." in str(checks.rnn_step(answer))


def test_arguments_may_be_changed_into_anything():
    def answer(words, subject):
        count = [word in ("was", "were") for word in words].index(True) - subject - 1
        words[0] = np.array([None])
        return count

    assert "It overwrote words" in str(checks.words_between(answer))

    def answer_in_torch(x, h, W, U, b):
        new = torch.tanh(W @ h + U @ x + b)
        W.data = W.bfloat16()
        return new

    assert "It overwrote W" in str(checks.rnn_step(answer_in_torch))


def test_each_call_gets_fresh_copies():
    seen = []

    def answer(words, subject):
        seen.append(list(words))
        words.clear()
        return 0

    assert str(checks.words_between(answer)) == str(checks.words_between(answer))
    assert seen[: len(seen) // 2] == seen[len(seen) // 2 :]


@pytest.mark.parametrize(
    "returned",
    ["words", object(), [1, [2, 3]], 1 + 2j, np.array(["a"]), True, lambda: 1, [None], 10**400],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_array_is_named(returned):
    result = checks.rnn_step(lambda *given: returned)
    assert result.status == FAILED
    assert "real numbers is needed" in str(result)


def test_values_that_are_not_finite_are_told():
    assert "inf or NaN" in str(checks.rnn_step(lambda x, h, W, U, b: np.full(len(h), np.nan)))


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
        sys.stdout = io.StringIO()
        return right_step(x, h, W, U, b)

    def held():
        state = np.random.get_state()  # noqa: NPY002
        return (
            random.getstate(), state[1].tolist(), state[2], torch.get_rng_state().tolist(),
            torch.get_default_dtype(), torch.is_grad_enabled(), torch.get_num_threads(),
            tuple(np.geterr().items()), list(warnings.filters), sys.stdout,
        )  # fmt: skip

    before = held()
    assert checks.rnn_step(careless).passed
    assert held() == before


def test_settings_of_the_notebook_do_not_reach_the_checks():
    def train_step(model, loss, optimizer, c):
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), c)
        optimizer.step()

    for mode in (torch.no_grad(), torch.inference_mode(), torch.device("meta")):
        with mode:
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


def test_the_checks_own_arithmetic_warns_of_nothing_and_repeats_itself():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name, returned in itertools.product(NAMES, (0.25, 1e300, np.zeros((2, 2)), [[0.0]])):
            said = [getattr(checks, name)(lambda *given, r=returned: r) for _ in range(2)]
            assert said[0].status in STATUSES
            assert str(said[0]) == str(said[1])


def test_what_shift_and_tab_show_holds_no_solution():
    for name in NAMES:
        shown = inspect.getdoc(getattr(checks, name))
        assert shown.startswith("Check ")
        for solution in ("tanh", "diag", "h^2", "backward", "logistic", "log(", "min(", "**"):
            assert solution not in shown
