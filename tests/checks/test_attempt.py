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
from helpers.checks.results import FAILED, NOT_ATTEMPTED, STATUSES, WRONG_SHAPE, WRONG_VALUES
from helpers.networks import rnn_step

NAMES = list(checks.EXERCISES)
DONE = "done = True\n"


def torch_step(x, h, W, U, b):
    return torch.tanh(W @ h + U @ x + b)


def step_into_h(x, h, W, U, b):
    h[:] = rnn_step(x, h, W, U, b)
    return h


def jacobian_into_W(h, W):
    h[:] = 1 - h**2
    W *= h[:, None]
    return W


def words_from_behind(words, subject):
    words.reverse()
    verb = next(place for place, word in enumerate(words) if word in ("was", "were"))
    return len(words) - 1 - verb - subject - 1


def words_into_something_else(words, subject):
    count = [word in ("was", "were") for word in words].index(True) - subject - 1
    words[0] = np.array([None])
    return count


def inf_marked(states):
    states[:] = np.isinf(states)
    return next((step for step, row in enumerate(states) if row.any()), None)


IN_PLACE = [
    ("rnn_step", step_into_h, "h"),
    ("rnn_step", lambda x, h, W, U, b: h.copy_(torch_step(x, h, W, U, b)), "h"),
    ("step_jacobian", jacobian_into_W, "W and h"),
    ("words_between", words_from_behind, "words"),
    ("words_between", words_into_something_else, "words"),
    ("first_inf", inf_marked, "states"),
]


def raises(error):
    def answer(*given):
        raise error

    return answer


def stub_written_into(x, h, W, U, b):
    a = W @ h + U @ x + b
    print(end="")
    raise NotImplementedError()
    return np.tanh(a)


def calls_a_stub(x, h, W, U, b):
    raises(NotImplementedError)()


def typo_on_the_line_after(x, h, W, U, b):
    new = (W @ h + U @ x + b).tanh()
    return new.tann()


def square_sizes_only(x, h, W, U, b):
    return np.tanh(W @ h + U @ (x if len(x) == len(h) else x[None]) + b)


def nothing_for_some(x, h, W, U, b):
    if len(x) == len(h):
        return rnn_step(x, h, W, U, b)


def without_end(*given):
    return without_end(*given)


def shifted_in_place(x, h, W, U, b):
    h += 1
    return rnn_step(x, h, W, U, b)


NO_ARRAYS = ["words", object(), [1, [2, 3]], 1 + 2j, np.array(["a"]), True, [None], 10**400]
TOLD = [
    (stub_written_into, "is still there", FAILED),
    (calls_a_stub, "NotImplementedError", FAILED),
    (raises(NotImplementedError("not for Half")), "not for Half", FAILED),
    # the error is that of the kind of array the code is for
    (lambda x, h, W, U, b: torch.matmul(W, torch.cat([h, h])), "size mismatch", FAILED),
    (lambda x, h, W, U, b: (W @ h + U @ x + b).astype(float).tann(), "numpy.ndarray", FAILED),
    (lambda x, h, W, U, b: (W @ h + U @ x + b).tann(), "numpy.ndarray", FAILED),
    (lambda x, h, W, U, b: np.tanh(W @ h, U, x, b), "takes from 1 to 2", FAILED),
    (typo_on_the_line_after, "'Tensor' object has no attribute 'tann'", FAILED),
    (square_sizes_only, "x (2,), h (5,), W (5, 5), U (5, 2) and b (5,)", FAILED),
    (without_end, "RecursionError", FAILED),
    (lambda *given: None, "It returned None. Is the return statement missing?", FAILED),
    (
        nothing_for_some,
        "None for 3 of 5 inputs, the first with x (2,), h (5,),",
        FAILED,
    ),
    (lambda *given: np.full(len(given[1]), np.nan), "inf or NaN", WRONG_VALUES),
    (shifted_in_place, "It also overwrote h.", WRONG_VALUES),
    (lambda x, h, W, U, b: rnn_step(x, h, W, U, b)[1:], "The inputs had the shapes", WRONG_SHAPE),
    (lambda h, x: h, "with (x, h, W, U, b), in this order; yours takes (h, x)", FAILED),
    *((lambda *given, r=r: r, "real numbers is needed", FAILED) for r in NO_ARRAYS),
    *((each, "needs your function itself", FAILED) for each in (None, 3, np.ones(4), "rnn_step")),
]


@pytest.mark.parametrize(("answer", "says", "status"), TOLD)
def test_what_goes_wrong_is_told(answer, says, status):
    result = checks.rnn_step(answer)
    assert says in str(result)
    assert result.status == status


def test_an_untouched_stub_is_not_attempted():
    def stub(*given):
        """The docstring that stands above the stub."""
        # YOUR CODE HERE
        raise NotImplementedError()

    for name in NAMES:
        result = getattr(checks, name)(stub)
        assert (result.status, result.passed) == (NOT_ATTEMPTED, False)
        assert str(result) == f"{name}: not attempted yet."


@pytest.mark.parametrize("error", [ValueError("bad\nnews"), SystemExit(3)])
def test_what_is_raised_is_named_with_the_learners_line(error):
    for name in NAMES:
        result = getattr(checks, name)(raises(error))
        assert result.status == FAILED
        assert type(error).__name__ in str(result)
        assert "news" not in str(result)
        assert "line 2 of answer: raise error" in str(result)


@pytest.fixture
def in_a_hurry(monkeypatch):
    monkeypatch.setattr(attempt, "SECONDS", 0.2)


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
    thread = threading.Thread(target=lambda: results.append(checks.rnn_step(rnn_step)))
    thread.start()
    thread.join()
    assert results[0].passed


def test_what_is_limited_stops_while_it_waits():
    with pytest.raises(attempt.OutOfTime):
        attempt.limited(lambda: [time.sleep(0.01) for _ in range(1000)], 0.1)


def test_what_the_code_prints_is_shown_once_for_each_call_and_when_it_is_stopped(
    in_a_hurry, capsys
):
    def answer(x, h, W, U, b):
        print(len(h), len(x))
        while len(h) == 1:
            pass
        return torch_step(x, h, W, U, b)

    assert checks.rnn_step(answer).status == FAILED
    assert capsys.readouterr().out == "4 4\n3 3\n5 2\n2 6\n1 3\n"


@pytest.mark.parametrize(("name", "answer", "changed"), IN_PLACE)
def test_a_right_answer_that_overwrites_its_arguments_does_not_pass(name, answer, changed):
    result = getattr(checks, name)(answer)
    assert result.status == WRONG_VALUES
    assert f"{name}: right values, but an argument changed." in str(result)
    assert f"It overwrote {changed}, and the caller still needs the old values." in str(result)


def test_wrapped_and_callable_answers_are_accepted():
    class Step:
        def __call__(self, x, h, W, U, b):
            return rnn_step(x, h, W, U, b)

    assert checks.rnn_step(Step()).passed
    assert checks.rnn_step(torch.no_grad()(rnn_step)).passed
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
        return rnn_step(x, h, W, U, b)

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

    for mode in (torch.no_grad(), torch.inference_mode()):
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


def test_no_mode_of_torch_is_on_that_an_interrupt_could_break():
    modes = []

    def answer(x, h, W, U, b):
        modes.append(torch._C._len_torch_function_stack())
        return rnn_step(x, h, W, U, b)

    assert checks.rnn_step(answer).passed
    assert set(modes) == {0}


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
