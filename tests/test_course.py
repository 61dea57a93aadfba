"""course.py and tools.install: what is installed when, what is said, what is run.

No test here installs anything: `take`, which runs venv and pip, is replaced or given other words.
"""

from __future__ import annotations

import errno
import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from tools import install

ROOT = Path(__file__).resolve().parents[1]


class Room:
    """A temporary course folder in which installing only leaves its traces.

    `steps` holds what was taken, `fails` an exception for the step that is to raise it,
    `missing_package` makes the Python in .venv lack a package.
    """

    def __init__(self) -> None:
        self.words: list[list[str]] = []
        self.fails: dict[str, BaseException] = {}
        self.missing_package = False

    def take(self, step: str, words: list) -> None:
        self.words.append([str(word) for word in words])
        if "venv" in words:
            install.venv_python().parent.mkdir()
            install.venv_python().touch()
            self.missing_package = False
        if self.kind(self.words[-1]) in self.fails:
            raise self.fails[self.kind(self.words[-1])]

    def probe(self, words: list, **settings: object) -> int:
        return int(self.missing_package or not install.venv_python().exists())

    @staticmethod
    def kind(words: list[str]) -> str:
        if words[-1].startswith("import "):
            return "try"
        return "venv" if "venv" in words else words[-1]

    def steps(self) -> list[str]:
        """The steps taken since this was last asked."""
        taken = [self.kind(words) for words in self.words]
        self.words.clear()
        return taken


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Room:
    room = Room()
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    monkeypatch.setattr(install, "ROOT", tmp_path)
    for name in ("VENV", "OLD", "GONE", "LOCK", "USE", "LOG", "WHEELS"):
        path = getattr(install, name).relative_to(ROOT)
        monkeypatch.setattr(install, name, tmp_path / path)
    monkeypatch.setattr(install, "take", room.take)
    monkeypatch.setattr(install.subprocess, "call", room.probe)
    monkeypatch.setattr(install, "SYSTEM", "windows")
    monkeypatch.setattr(install, "cpu_index_answers", lambda: True)
    monkeypatch.setattr(install.shutil, "disk_usage", lambda path: SimpleNamespace(free=1e12))
    monkeypatch.setattr(install.platform, "machine", lambda: "AMD64")
    return room


NEW = ["venv", ".", "try"]


def change_requirements() -> None:
    with (install.ROOT / "constraints.txt").open("a", encoding="utf-8") as file:
        file.write("# changed\n")


def install_and_forget(room: Room, extra: str = "") -> None:
    """Install, mark what stands, and forget the steps that it took."""
    install.set_up(extra)
    (install.VENV / "mark").touch()
    room.steps()


def stands() -> bool:
    """Whether what was marked is still there, alone."""
    return (install.VENV / "mark").exists() and not (install.OLD.exists() or install.GONE.exists())


# --- What is installed


def test_each_command_adds_its_extra_once_to_what_stands(room):
    for extra, steps in (
        ("", NEW),
        ("", []),
        ("site", [".[site]", "try"]),
        ("grading", [".[grading,site]", "try"]),
        ("site", []),
        ("test", [".[grading,site,test]", "try"]),
    ):
        install.set_up(extra)
        assert room.steps() == steps


def test_the_test_extra_serves_every_command(room):
    install_and_forget(room, "test")
    for extra in ("", "site", "grading", "test"):
        install.set_up(extra)
    assert room.steps() == []


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_changed_requirements_make_it_anew_with_its_extras(room, name):
    install_and_forget(room, "site")
    path = install.ROOT / name
    path.write_text("# changed\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    install.set_up("")
    assert room.steps() == ["venv", ".[site]", "try"]
    assert not install.OLD.exists()


def test_settings_of_tools_are_no_requirements(room):
    install_and_forget(room)
    with (install.ROOT / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write("[tool.another]\n")
    install.set_up("")
    assert room.steps() == []


def test_linux_takes_the_cpu_build_while_its_index_answers(room, monkeypatch, capsys):
    monkeypatch.setattr(install, "SYSTEM", "linux")
    monkeypatch.setattr(install.shutil, "disk_usage", lambda path: SimpleNamespace(free=5e9))
    install.set_up("")
    assert install.CPU_INDEX in room.words[1]
    assert room.steps() == ["venv", "torch", ".", "try"]
    monkeypatch.setattr(install, "cpu_index_answers", lambda: False)
    change_requirements()
    install.set_up("")
    said = capsys.readouterr().out
    assert "can't be reached" in said
    assert "5.0 GB are free, 8 GB needed" in said
    assert room.steps() == []


def test_wheels_are_taken_instead_of_the_network(room, monkeypatch):
    monkeypatch.setattr(install, "SYSTEM", "linux")
    install.WHEELS.mkdir(parents=True)
    install.set_up("")
    assert " ".join(["--no-index", "--find-links", str(install.WHEELS)]) in " ".join(room.words[1])
    assert room.steps() == NEW


# --- What is kept


def write_stamp(**changed: object) -> None:
    (install.VENV / "course.json").write_text(json.dumps({**install.stamp(), **changed}))


DAMAGE: dict[str, Callable[[Room], object]] = {
    "unfinished": lambda room: (install.VENV / "course.json").write_text("{}"),
    "torn stamp": lambda room: (install.VENV / "course.json").write_text('{"fold'),
    "moved": lambda room: write_stamp(folder="/elsewhere"),
    "Python gone": lambda room: install.venv_python().unlink(),
    "package gone": lambda room: setattr(room, "missing_package", True),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_broken_venv_is_made_anew(room, damage):
    install_and_forget(room)
    damage(room)
    install.set_up("")
    assert room.steps() == NEW
    assert install.ready("")
    assert list(install.ROOT.glob(".venv*/mark")) == []


def test_another_python_uses_the_venv_that_works(room, monkeypatch):
    install_and_forget(room)
    monkeypatch.setattr(install, "PYTHON", "3.15")
    monkeypatch.setattr(install.sys, "version_info", (3, 15))
    install.set_up("")
    assert room.steps() == []


@pytest.mark.parametrize("step", NEW)
def test_venv_that_works_outlives_a_change_that_fails(room, capsys, step):
    install_and_forget(room)
    change_requirements()
    room.fails[step] = install.Stop("The network fails.")
    install.set_up("")
    said = capsys.readouterr().out
    assert said.endswith("The network fails.\nGoing on with the .venv that stands.\n")
    assert stands()
    assert install.works("")


def test_command_whose_extra_cannot_be_added_stops_and_leaves_the_rest(room):
    install_and_forget(room)
    room.fails[".[test]"] = install.Stop("The network fails.")
    with pytest.raises(install.Stop, match="network"):
        install.set_up("test")
    assert install.ready("")
    assert stands()


def interrupt(room: Room, monkeypatch: pytest.MonkeyPatch, step: str, how: str) -> None:
    """Cut an installation short in a step.

    how: "failed"; "ended", by Ctrl and C; "killed", so that nothing is put right; or "cut off",
    killed while what an interrupted installation left is removed.
    """

    def killed(path: Path, ignore_errors: bool) -> None:
        if path.exists():
            (path / "course.json").unlink(missing_ok=True)
            raise KeyboardInterrupt

    room.fails[step] = OSError(errno.ENOSPC, "full") if how == "failed" else KeyboardInterrupt()
    with monkeypatch.context() as patch:
        if how == "killed":
            settle = install.settle
            patch.setattr(install, "settle", lambda: room.words or settle())
        if how == "cut off":
            patch.setattr(install.shutil, "rmtree", killed)
        with pytest.raises((KeyboardInterrupt, OSError)):
            install.set_up("")
    room.fails.clear()
    room.steps()


HOW = pytest.mark.parametrize("how", ["failed", "ended", "killed", "cut off"])


@HOW
@pytest.mark.parametrize("step", NEW)
def test_interrupted_first_installation_recovers(room, monkeypatch, step, how):
    interrupt(room, monkeypatch, step, how)
    assert not install.ready("")
    install.set_up("")
    assert room.steps() == NEW
    assert install.ready("")
    assert not install.GONE.exists()


@HOW
@pytest.mark.parametrize("step", NEW)
def test_interrupted_change_leaves_the_last_venv(room, monkeypatch, step, how):
    install_and_forget(room)
    change_requirements()
    interrupt(room, monkeypatch, step, how)
    room.fails["venv"] = install.Stop("The network fails.")
    install.set_up("")  # the last one stands again and is gone on with
    assert stands()
    room.fails.clear()
    install.set_up("")
    assert install.ready("")
    assert list(install.ROOT.glob(".venv*/mark")) == []


def test_killed_after_the_new_one_was_finished(room):
    install.set_up("")
    install.OLD.mkdir()
    change_requirements()
    install.set_up("")
    assert install.ready("")
    assert not install.OLD.exists()


def test_repair_makes_it_anew_or_leaves_the_last(room):
    install_and_forget(room, "site")
    room.fails["venv"] = install.Stop("The network fails.")
    with pytest.raises(install.Stop, match="network"):
        install.set_up("", repair=True)
    assert install.ready("site")
    assert stands()
    room.fails.clear()
    room.steps()
    install.set_up("", repair=True)
    assert room.steps() == ["venv", ".[site]", "try"]
    assert not stands()


@pytest.mark.skipif(os.name == "nt", reason="there the system keeps what runs from being moved")
def test_nothing_is_moved_under_a_running_command(room, capsys):
    install_and_forget(room)
    with install.in_use(), install.in_use():
        with pytest.raises(install.Stop, match="end it"):
            install.set_up("", repair=True)
        change_requirements()
        install.set_up("")
        assert "end it, then try again.\nGoing on" in capsys.readouterr().out
        assert stands()
        assert room.steps() == []
    install.set_up("")
    assert room.steps() == NEW


def test_venv_of_somebody_else_is_left_alone(room):
    install.VENV.mkdir()
    (install.VENV / "mark").touch()
    with pytest.raises(install.Stop, match="was not made by"):
        install.set_up("")
    assert stands()
    assert room.steps() == []


# --- What is told before anything is installed


def lack(missing: str) -> Callable[[str], object]:
    find = importlib.util.find_spec
    return lambda name: None if name == missing else find(name)


MACHINES = {
    "disk": ([("shutil.disk_usage", lambda path: SimpleNamespace(free=5e8))], "0.5 GB are free"),
    "venv": ([("importlib.util.find_spec", lack("venv"))], "apt install python"),
    "ensurepip": ([("importlib.util.find_spec", lack("ensurepip"))], "apt install python"),
    "new": ([("sys.version_info", (3, 15))], "use Python 3.10 to 3.14"),
    "32 bits": ([("sys.maxsize", 2**31 - 1)], "64-bit"),
    "Intel Mac": (
        [("SYSTEM", "macos"), ("platform.machine", lambda: "x86_64")],
        "conda env create -f environment.yml",
    ),
    "old macOS": (
        [("SYSTEM", "macos"), ("platform.mac_ver", lambda: ("13.6.1", (), ""))],
        "macOS 14 or newer, and this is macOS 13.6.1",
    ),
    "ARM": ([("platform.machine", lambda: "ARM64")], "not released for Windows on ARM"),
    "glibc": ([("platform.libc_ver", lambda: ("glibc", "2.27"))], "glibc 2.28"),
}


@pytest.mark.parametrize(("machine", "sentence"), MACHINES.values(), ids=MACHINES.keys())
def test_machine_that_will_not_do_is_told(room, monkeypatch, machine, sentence):
    for name, value in machine:
        monkeypatch.setattr(f"tools.install.{name}", value)
    with pytest.raises(install.Stop, match=re.escape(sentence)):
        install.set_up("")
    assert room.steps() == []
    assert not install.VENV.exists()


def test_machines_that_will_do_are_not_refused(room, monkeypatch):
    for system, machine, mac, libc in [
        ("macos", "arm64", "14.0", ("", "")),
        ("macos", "arm64", "26.1", ("", "")),
        ("linux", "aarch64", "", ("glibc", "2.28")),
        ("linux", "x86_64", "", ("glibc", "2.41")),
        ("windows", "AMD64", "", ("", "")),
    ]:
        monkeypatch.setattr(install, "SYSTEM", system)
        monkeypatch.setattr(install.platform, "machine", lambda machine=machine: machine)
        monkeypatch.setattr(install.platform, "mac_ver", lambda mac=mac: (mac, (), ""))
        monkeypatch.setattr(install.platform, "libc_ver", lambda libc=libc: libc)
        install.check_machine(2)


# --- The steps themselves, with other words in pip's place


@pytest.fixture
def take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Take a step that really runs; its words go to a temporary folder."""
    monkeypatch.setattr(install, "LOG", tmp_path / "log")
    return lambda code: install.take("Step 1 of 1: try", [sys.executable, "-c", code])


def test_step_says_one_line_and_if_it_fails_the_end_of_its_own_words(take, capfd):
    take("print('what pip says')")
    assert re.fullmatch(r"Step 1 of 1: try \.+\n", capfd.readouterr().out)
    assert "what pip says" in install.LOG.read_text()
    with pytest.raises(install.Stop) as stopped:
        take("print(*range(30), sep='\\n'); exit(9)")
    said = str(stopped.value).splitlines()
    assert said[1:] == [str(number) for number in range(10, 30)]
    assert str(install.LOG) in said[0]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (os.strerror(errno.ENOSPC), "The disk has no room"),
        ("broken by 'NewConnectionError(...)'", "The network fails"),
        ("HINT: ... Windows Long Path support enabled", "67 characters"),
    ],
)
def test_common_failures_are_told_in_one_sentence(take, words, sentence):
    with pytest.raises(install.Stop, match=sentence) as stopped:
        take(f"print({words!r}); exit(1)")
    assert words not in str(stopped.value)


@pytest.mark.skipif(os.name == "nt", reason="on Windows locks do not pass to children")
def test_step_left_behind_keeps_the_next_call_waiting(room, capsys):
    with install.LOCK.open("a") as lock:
        assert install.locked(lock)
        code = "import time; time.sleep(0.6)"
        left = subprocess.Popen([sys.executable, "-c", code], close_fds=False)
    install.set_up("")
    assert left.poll() is not None
    assert "waiting for it" in capsys.readouterr().out
    assert room.steps() == NEW


def test_index_that_cannot_be_reached_is_told_from_one_that_can(tmp_path, monkeypatch):
    monkeypatch.setattr(install, "CPU_INDEX", tmp_path.as_uri())
    assert not install.cpu_index_answers()
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "index.html").touch()
    monkeypatch.setattr(install, "CPU_INDEX", f"{tmp_path.as_uri()}/torch/index.html#")
    assert install.cpu_index_answers()


# --- course.py's commands


@pytest.fixture
def course(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """course.py with nothing installed: `started` holds what it runs, `asked` what it sets up."""
    spec = importlib.util.spec_from_file_location("course", ROOT / "course.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.started, module.asked, module.status = [], [], 0

    def start(words: list, **settings: object) -> SimpleNamespace:
        module.started.append(([str(word) for word in words[1:]], settings))
        return SimpleNamespace(wait=lambda: module.status)

    monkeypatch.setattr(install, "set_up", lambda *words: module.asked.append(words))
    monkeypatch.setattr(module.subprocess, "Popen", start)
    return module


@pytest.mark.parametrize(
    ("words", "asked", "end"),
    [
        ("", ("", False), "lab/tree/notebooks/index.ipynb"),
        ("--repair", ("", True), "lab/tree/notebooks/index.ipynb"),
        ("lab --no-browser", ("", False), "lab/tree/notebooks/index.ipynb --no-browser"),
        ("test -k rnn --help", ("test", False), "-m pytest -k rnn --help"),
        ("--repair test --repair", ("test", True), "-m pytest --repair"),
        ("build 01", ("grading", False), "-m tools.build 01"),
        ("site", ("site", False), "-m tools.site"),
        ("slides", ("site", False), "-m tools.slides"),
        ("grading ../marks", ("grading", False), "-m tools.grading ../marks"),
        ("handout 90 ../lab", ("", False), "-m tools.handout 90 ../lab"),
        ("record", ("", False), "-m tools.record_runs"),
        ("pictures", ("", False), "-m tools.pictures"),
        ("bench -k probe", ("test", False), "tests/benchmarks -k probe"),
        ("wheels --for windows", ("", False), "-m tools.wheels --for windows"),
    ],
)
def test_each_command_sets_up_what_it_needs_and_runs_its_module(course, capsys, words, asked, end):
    assert course.main(words.split()) == 0
    assert course.asked == [asked]
    ((started, settings),) = course.started
    assert " ".join(started).endswith(end)
    assert importlib.util.find_spec(started[1])
    assert settings["cwd"] == ROOT
    assert (settings["env"].get("VECLIB_MAXIMUM_THREADS") == "1") is words.startswith(
        ("bench", "record")
    )
    assert ("To end it" in capsys.readouterr().out) is (started[1] == "jupyterlab")


def test_first_page_is_there_and_jupyterlab_knows_its_settings(course):
    assert (ROOT / course.FIRST_PAGE).exists()
    lab = Path(sys.prefix, "share", "jupyter", "lab")
    [told] = (word.partition("app_settings_dir=")[2] for word in course.LAB if "settings" in word)
    for plugin, settings in json.loads((ROOT / told / "overrides.json").read_text()).items():
        schema = Path(lab, "schemas", plugin.replace(":", "/")).with_suffix(".json")
        assert set(settings) <= set(json.loads(schema.read_text("utf-8"))["properties"])


@pytest.mark.parametrize(("ended", "status"), [(5, 5), (-9, 137)])
def test_status_of_what_ran_comes_back(course, ended, status):
    course.status = ended
    assert course.main(["test"]) == status


@pytest.mark.parametrize(
    ("how", "status", "sentence"),
    [
        (KeyboardInterrupt, 130, "interrupted"),
        (install.Stop("No room."), 1, "course.py: No room."),
        (PermissionError(13, "Permission denied", "x"), 1, "x cannot be written. Move"),
        (OSError(errno.EROFS, "Read-only file system", "x"), 1, "x cannot be written. Move"),
        (OSError(errno.EIO, "Input/output error", "x"), 1, "Input/output error: 'x'"),
    ],
)
def test_what_ends_the_set_up_is_told(course, monkeypatch, capsys, how, status, sentence):
    def stop(*words: object) -> None:
        raise how

    monkeypatch.setattr(install, "set_up", stop)
    assert course.main(["test"]) == status
    assert sentence in capsys.readouterr().err
    assert course.started == []


@pytest.mark.parametrize("command", ["test", "bench", "build", "grading", "handout"])
def test_copy_without_solutions_is_told_before_anything_is_installed(
    course, tmp_path, monkeypatch, capsys, command
):
    monkeypatch.setattr(install, "ROOT", tmp_path)
    assert course.main([command]) == 1
    assert f"no solutions and tests, which {command} needs" in capsys.readouterr().err
    assert course.asked == course.started == []
    assert course.main(["lab"]) == 0


@pytest.mark.parametrize(("word", "status"), [("--help", 0), ("-h", 0), ("tset", 2)])
def test_help_names_every_command_and_installs_nothing(course, capsys, word, status):
    assert course.main([word]) == status
    told = capsys.readouterr()
    for command in course.COMMANDS:
        assert re.search(rf"^  {command} +\w", told.out, flags=re.MULTILINE), command
    assert ("no command tset" in told.err) is (word == "tset")
    assert course.asked == course.started == []
