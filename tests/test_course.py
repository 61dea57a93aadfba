"""course.py as a program: what it installs when, what it says, what it runs."""

from __future__ import annotations

import errno
import importlib.util
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[1]


def load_course() -> ModuleType:
    """A fresh copy of course.py as a module."""
    spec = importlib.util.spec_from_file_location("course", ROOT / "course.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# --- Set-up: no test here installs anything


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """course.py with a temporary folder for its own; it records its commands and runs none.

    `calls` holds each command's words, `settings` its environment variables, `status` is the
    status that they end with, and `broken_python` makes the Python in .venv unusable.
    """
    module = load_course()
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    monkeypatch.setattr(module, "ROOT", tmp_path)
    for name, path in {"VENV": ".venv", "OLD": ".venv.old", "LOCK": ".venv.lock"}.items():
        monkeypatch.setattr(module, name, tmp_path / path)
    monkeypatch.setattr(module, "STAMP", tmp_path / ".venv" / "course.json")
    module.calls, module.settings, module.status, module.broken_python = [], {}, 0, False

    def run_setup(words: list, lock: object) -> None:
        module.calls.append([str(word) for word in words])
        if "venv" in words:
            module.venv_python().parent.mkdir()
            module.venv_python().touch()

    def run(words: list, **settings: str) -> int:
        module.calls.append([str(word) for word in words])
        module.settings = settings
        return module.status

    monkeypatch.setattr(module, "run_setup", run_setup)
    monkeypatch.setattr(module, "run", run)
    monkeypatch.setattr(
        module,
        "python_works",
        lambda: module.venv_python().exists() and not module.broken_python,
    )
    monkeypatch.setattr(module, "cpu_index_answers", lambda: False)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda path: SimpleNamespace(free=1e12))
    monkeypatch.setattr(module.platform, "machine", lambda: "arm64")
    return module


def installed(course: ModuleType) -> list[str]:
    """The steps that set-up took, by the word that tells them apart; forgets them."""
    steps = [
        next(word for word in call if word in ("venv", "torch", ".[test]", "disable"))
        for call in course.calls
    ]
    course.calls.clear()
    return steps


ALL = ["venv", ".[test]", "disable"]


def test_second_call_installs_nothing(course):
    course.set_up()
    assert installed(course) == ALL
    course.set_up()
    assert installed(course) == []


def test_cpu_build_is_asked_for_on_linux_when_its_index_answers(course, monkeypatch):
    monkeypatch.setattr(course, "cpu_index_answers", lambda: True)
    monkeypatch.setattr(course.sys, "platform", "linux")
    course.set_up()
    assert course.CPU_INDEX in course.calls[1]
    assert installed(course) == ["venv", "torch", ".[test]", "disable"]


def test_set_up_goes_on_when_the_cpu_index_fails_half_way(course, monkeypatch):
    run_setup = course.run_setup

    def fail_on_index(words: list, lock: object) -> None:
        run_setup(words, lock)
        if course.CPU_INDEX in words:
            raise course.Stop("no")

    monkeypatch.setattr(course, "run_setup", fail_on_index)
    monkeypatch.setattr(course, "cpu_index_answers", lambda: True)
    monkeypatch.setattr(course.sys, "platform", "linux")
    course.set_up()
    assert course.venv_state() == "ready"


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_changed_requirements_are_installed_over_the_old(course, name):
    course.set_up()
    course.calls.clear()
    with (course.ROOT / name).open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    assert course.venv_state() == "outdated"
    course.set_up()
    assert installed(course) == [".[test]", "disable"]
    assert course.venv_state() == "ready"


def moved(course: ModuleType) -> None:
    stamp = json.loads(course.STAMP.read_text())
    course.STAMP.write_text(json.dumps({**stamp, "folder": "/elsewhere"}))


def other_python(course: ModuleType) -> None:
    stamp = json.loads(course.STAMP.read_text())
    course.STAMP.write_text(json.dumps({**stamp, "python": "3.1"}))


DAMAGE: dict[str, Callable[[ModuleType], object]] = {
    "unfinished": lambda course: course.STAMP.write_text("{}"),
    "torn stamp": lambda course: course.STAMP.write_text('{"pyth'),
    "moved": moved,
    "other Python": other_python,
    "Python gone": lambda course: course.venv_python().unlink(),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_broken_environment_is_made_anew(course, damage):
    course.set_up()
    course.calls.clear()
    (course.VENV / "debris").touch()
    damage(course)
    course.set_up()
    assert installed(course) == ALL
    assert course.venv_state() == "ready"
    assert not (course.VENV / "debris").exists()
    assert not course.OLD.exists()


@pytest.mark.parametrize("step", ALL)
@pytest.mark.parametrize("how", [KeyboardInterrupt, OSError(errno.ENOSPC, "full")])
def test_interrupted_install_says_so_and_the_next_call_recovers(
    course, monkeypatch, capsys, step, how
):
    run_setup = course.run_setup

    def stop_at(words: list, lock: object) -> None:
        run_setup(words, lock)
        if step in words:
            raise how

    with monkeypatch.context() as patch:
        patch.setattr(course, "run_setup", stop_at)
        status = course.main(["test"])
    said = capsys.readouterr().err
    if how is KeyboardInterrupt:
        assert (status, "Interrupted" in said) == (130, True)
    else:
        assert (status, "no room (full)" in said) == (1, True)
    assert course.venv_state() == "broken"
    course.calls.clear()
    assert course.main(["test"]) == 0
    assert installed_before_tests(course) == ALL


def installed_before_tests(course: ModuleType) -> list[str]:
    """The steps of set-up, once the last call is known to be pytest's."""
    assert "pytest" in course.calls.pop()
    return installed(course)


def test_environment_of_somebody_else_is_left_alone(course, capsys):
    course.VENV.mkdir()
    (course.VENV / "theirs").touch()
    assert course.main(["test"]) == 1
    assert "was not made by course.py" in capsys.readouterr().err
    assert (course.VENV / "theirs").exists()
    assert course.calls == []


def test_full_disk_is_told_before_installing(course, monkeypatch, capsys):
    monkeypatch.setattr(course.shutil, "disk_usage", lambda path: SimpleNamespace(free=5e8))
    assert course.main(["test"]) == 1
    assert "no room (0.5 GB are free): the course needs 3 GB" in capsys.readouterr().err
    assert course.calls == []


@pytest.mark.parametrize("missing", ["venv", "ensurepip"])
def test_missing_venv_module_is_told(course, monkeypatch, capsys, missing):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        course.importlib.util, "find_spec", lambda name: None if name == missing else find(name)
    )
    assert course.main(["test"]) == 1
    version = "{}.{}".format(*sys.version_info[:2])
    assert f"apt install python{version}-venv" in capsys.readouterr().err
    assert course.calls == []


def test_intel_mac_is_told(course, monkeypatch, capsys):
    monkeypatch.setattr(course.sys, "platform", "darwin")
    monkeypatch.setattr(course.platform, "machine", lambda: "x86_64")
    assert course.main(["lab"]) == 1
    assert "conda env create -f environment.yml" in capsys.readouterr().err


def test_extra_words_go_to_pytest_and_its_status_comes_back(course):
    course.status = 5
    assert course.main(["test", "-k", "rnn", "tests/test_rnn.py", "--help"]) == 5
    assert course.calls[-1][-6:] == ["-m", "pytest", "-k", "rnn", "tests/test_rnn.py", "--help"]


def test_each_command_runs_its_program(course):
    course.main([])
    assert "jupyterlab" in course.calls[-1]
    course.main(["lab", "--no-browser"])
    assert course.calls[-1][-1] == "--no-browser"
    course.main(["build", "01"])
    assert course.calls[-1][-2:] == ["tools.build", "01"]
    for command in ("site", "slides"):
        course.main([command])
        assert course.calls[-1][-2:] == ["-m", f"helpers.{command}"]
    assert course.settings == {}
    course.main(["reach"])
    assert course.calls[-1][-2:] == ["-m", "tools.record_runs"]
    assert course.settings["OMP_NUM_THREADS"] == "1"
    course.main(["bench", "-k", "probe"])
    assert course.calls[-1][-3:] == ["tests/benchmarks", "-k", "probe"]
    assert course.settings["OMP_NUM_THREADS"] == "1"


def test_help_names_every_command_and_installs_nothing(course, capsys):
    with pytest.raises(SystemExit) as stop:
        course.main(["--help"])
    assert stop.value.code == 0
    told = capsys.readouterr().out
    for command in course.COMMANDS:
        assert re.search(rf"^  {command} +\w", told, flags=re.MULTILINE), command
    assert course.calls == []


def test_unknown_command_is_refused(course, capsys):
    with pytest.raises(SystemExit) as stop:
        course.main(["tset"])
    assert stop.value.code == 2
    assert "tset" in capsys.readouterr().err


# --- course.py's own processes


@pytest.fixture(scope="module")
def real() -> ModuleType:
    """course.py as it is."""
    return load_course()


def test_run_gives_the_status_and_sets_variables(real):
    code = "import os, sys; sys.exit(int(os.environ['WANTED']))"
    assert real.run([sys.executable, "-c", code], WANTED="7") == 7


def test_failed_step_shows_its_lines_and_its_status(real, tmp_path, capsysbinary):
    with open(tmp_path / "lock", "w") as lock, pytest.raises(real.Stop, match="status 9"):
        real.run_setup([sys.executable, "-c", "print('why', flush=True); exit(9)"], lock)
    assert b"why" in capsysbinary.readouterr().out


def test_full_disk_inside_a_step_is_told(real, tmp_path):
    code = f"print({os.strerror(errno.ENOSPC)!r}); exit(1)"
    with open(tmp_path / "lock", "w") as lock, pytest.raises(real.Stop, match="no room"):
        real.run_setup([sys.executable, "-c", code], lock)


@pytest.mark.skipif(os.name == "nt", reason="on Windows the lock does not pass to children")
def test_step_left_behind_keeps_the_next_call_waiting(real, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(real, "LOCK", tmp_path / "lock")
    with real.one_at_a_time() as lock:
        code = "import time; time.sleep(0.6)"
        left = subprocess.Popen([sys.executable, "-c", code], pass_fds=[lock.fileno()])
    with real.one_at_a_time():
        assert left.poll() is not None
    assert "waiting for it" in capsys.readouterr().out


def test_silent_index_is_given_up_in_time(real, monkeypatch):
    monkeypatch.setattr(real.urllib.request, "urlopen", lambda *a, **k: time.sleep(60))
    start = time.monotonic()
    assert real.cpu_index_answers(seconds=0.2) is False
    assert time.monotonic() - start < 5
