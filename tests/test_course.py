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


def load_course() -> ModuleType:
    """A fresh copy of course.py as a module."""
    spec = importlib.util.spec_from_file_location("course", ROOT / "course.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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


# --- What is installed


def test_learner_gets_no_extra_and_the_second_call_installs_nothing(room):
    install.set_up("")
    assert room.steps() == NEW
    install.set_up("")
    assert room.steps() == []


def test_jupyterlab_is_told_not_to_ask_about_news_by_names_that_it_knows(room):
    install.set_up("")
    lab = Path("share", "jupyter", "lab")
    told = json.loads((install.VENV / lab / "settings" / "overrides.json").read_text())
    for plugin, settings in told.items():
        schema = Path(sys.prefix, lab, "schemas", plugin.replace(":", "/")).with_suffix(".json")
        assert set(settings) <= set(json.loads(schema.read_text("utf-8"))["properties"])


def test_commands_add_their_extra_once_to_what_stands(room):
    install.set_up("")
    room.steps()
    install.set_up("site")
    assert room.steps() == [".[site]", "try"]
    install.set_up("grading")
    assert room.steps() == [".[grading,site]", "try"]
    install.set_up("site")
    assert room.steps() == []


def test_the_test_extra_serves_every_command(room):
    install.set_up("test")
    room.steps()
    for extra in ("", "site", "grading", "test"):
        install.set_up(extra)
    assert room.steps() == []


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_changed_requirements_make_it_anew_with_its_extras(room, name):
    install.set_up("site")
    room.steps()
    path = install.ROOT / name
    path.write_text("# changed\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    install.set_up("")
    assert room.steps() == ["venv", ".[site]", "try"]
    assert not install.OLD.exists()


def test_settings_of_tools_are_no_requirements(room):
    install.set_up("")
    room.steps()
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
    words = room.words[1]
    found = words[words.index("--no-index") :][:3]
    assert found == ["--no-index", "--find-links", str(install.WHEELS)]
    assert room.steps() == NEW


# --- What is kept


def move(room: Room) -> None:
    content = install.stamp()
    (install.VENV / "course.json").write_text(json.dumps({**content, "folder": "/elsewhere"}))


def lose_package(room: Room) -> None:
    room.missing_package = True


DAMAGE: dict[str, Callable[[Room], object]] = {
    "unfinished": lambda room: (install.VENV / "course.json").write_text("{}"),
    "torn stamp": lambda room: (install.VENV / "course.json").write_text('{"fold'),
    "moved": move,
    "Python gone": lambda room: install.venv_python().unlink(),
    "package gone": lose_package,
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_broken_venv_is_made_anew(room, capsys, damage):
    install.set_up("")
    room.steps()
    capsys.readouterr()
    (install.VENV / "debris").touch()
    damage(room)
    install.set_up("")
    assert room.steps() == NEW
    assert install.ready("")
    assert not (install.VENV / "debris").exists()
    assert not install.OLD.exists()


def test_another_python_uses_the_venv_that_works(room, monkeypatch):
    install.set_up("")
    room.steps()
    monkeypatch.setattr(install, "PYTHON", "3.15")
    monkeypatch.setattr(install.sys, "version_info", (3, 15))
    install.set_up("")
    assert room.steps() == []


@pytest.mark.parametrize("step", NEW)
def test_venv_that_works_outlives_a_change_that_fails(room, capsys, step):
    install.set_up("")
    before = (install.ROOT / "constraints.txt").read_bytes()
    (install.VENV / "mark").touch()
    change_requirements()
    room.fails[step] = install.Stop("The network fails.")
    install.set_up("")
    said = capsys.readouterr().out
    assert said.endswith("The network fails.\nGoing on with the .venv that stands.\n")
    assert (install.VENV / "mark").exists()
    assert not install.OLD.exists()
    (install.ROOT / "constraints.txt").write_bytes(before)
    assert install.ready("")


def test_command_whose_extra_cannot_be_added_stops_and_leaves_the_rest(room):
    install.set_up("")
    room.fails[".[test]"] = install.Stop("The network fails.")
    with pytest.raises(install.Stop, match="network"):
        install.set_up("test")
    assert install.ready("")


@pytest.mark.parametrize("step", NEW)
@pytest.mark.parametrize("how", [KeyboardInterrupt, OSError(errno.ENOSPC, "full")])
@pytest.mark.parametrize("killed", [True, False])
def test_interrupted_first_installation_recovers(room, monkeypatch, step, how, killed):
    room.fails[step] = how
    with monkeypatch.context() as patch:
        if killed:  # then nothing is put back
            patch.setattr(install, "put_back", lambda: None)
        with pytest.raises(type(how) if isinstance(how, OSError) else how):
            install.set_up("")
    assert not install.ready("")
    room.fails.clear()
    room.steps()
    install.set_up("")
    assert room.steps() == NEW
    assert install.ready("")


@pytest.mark.parametrize("step", NEW)
def test_removal_that_is_cut_short_leaves_nothing_in_the_way(room, monkeypatch, step):
    """Killed while it removes what an interrupted installation left."""
    room.fails[step] = KeyboardInterrupt()
    remove = install.shutil.rmtree

    def killed(path: Path, ignore_errors: bool) -> None:
        (path / "course.json").unlink(missing_ok=True)
        if path.exists():
            raise KeyboardInterrupt

    monkeypatch.setattr(install.shutil, "rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        install.set_up("")
    monkeypatch.setattr(install.shutil, "rmtree", remove)
    room.fails.clear()
    room.steps()
    install.set_up("")
    assert room.steps() == NEW
    assert install.ready("")
    assert not install.GONE.exists()


@pytest.mark.parametrize("step", NEW)
@pytest.mark.parametrize("killed", [True, False])
def test_interrupted_change_leaves_the_last_venv(room, monkeypatch, step, killed):
    install.set_up("")
    (install.VENV / "mark").touch()
    change_requirements()
    room.fails[step] = KeyboardInterrupt()
    with monkeypatch.context() as patch:
        if killed:
            patch.setattr(install, "put_back", lambda: None)
        with pytest.raises(KeyboardInterrupt):
            install.set_up("")
    room.fails = {"venv": install.Stop("The network fails.")}
    install.set_up("")  # the last one stands again and is gone on with
    assert (install.VENV / "mark").exists()
    room.fails.clear()
    install.set_up("")
    assert not (install.VENV / "mark").exists()
    assert install.ready("")


def test_killed_after_the_new_one_was_finished(room):
    install.set_up("")
    install.OLD.mkdir()
    change_requirements()
    install.set_up("")
    assert install.ready("")
    assert not install.OLD.exists()


def test_repair_makes_it_anew_or_leaves_the_last(room):
    install.set_up("site")
    room.steps()
    (install.VENV / "debris").touch()
    room.fails["venv"] = install.Stop("The network fails.")
    with pytest.raises(install.Stop, match="network"):
        install.set_up("", repair=True)
    assert install.ready("site")
    assert (install.VENV / "debris").exists()
    room.fails.clear()
    room.steps()
    install.set_up("", repair=True)
    assert room.steps() == ["venv", ".[site]", "try"]
    assert not (install.VENV / "debris").exists()


@pytest.mark.skipif(os.name == "nt", reason="there the system keeps what runs from being moved")
def test_nothing_is_moved_under_a_running_command(room, capsys):
    install.set_up("")
    (install.VENV / "mark").touch()
    with install.in_use(), install.in_use():
        with pytest.raises(install.Stop, match="end it"):
            install.set_up("", repair=True)
        change_requirements()
        install.set_up("")
        assert "end it, then try again.\nGoing on" in capsys.readouterr().out
        assert (install.VENV / "mark").exists()
        room.steps()
    install.set_up("")
    assert room.steps() == NEW


def test_venv_of_somebody_else_is_left_alone(room):
    install.VENV.mkdir()
    (install.VENV / "theirs").touch()
    with pytest.raises(install.Stop, match="was not made by"):
        install.set_up("")
    assert (install.VENV / "theirs").exists()
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
def real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder for the log and the lock of steps that really run."""
    monkeypatch.setattr(install, "LOG", tmp_path / "log")
    return tmp_path


def take(folder: Path, code: str) -> None:
    install.take("Step 1 of 1: try", [sys.executable, "-c", code])


def test_step_that_works_says_one_line(real, capfd):
    take(real, "print('what pip says')")
    assert re.fullmatch(r"Step 1 of 1: try \.+\n", capfd.readouterr().out)
    assert "what pip says" in install.LOG.read_text()


def test_step_that_fails_shows_the_end_of_its_own_words(real):
    install.LOG.write_text("of an earlier step\n")
    with pytest.raises(install.Stop) as stopped:
        take(real, "print(*range(30), sep='\\n'); exit(9)")
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
def test_common_failures_are_told_in_one_sentence(real, words, sentence):
    with pytest.raises(install.Stop, match=sentence) as stopped:
        take(real, f"print({words!r}); exit(1)")
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
    module = load_course()
    module.started, module.asked, module.status = [], [], 0

    def start(words: list, **settings: object) -> SimpleNamespace:
        module.started.append(([str(word) for word in words[1:]], settings))
        return SimpleNamespace(wait=lambda: module.status)

    monkeypatch.setattr(install, "set_up", lambda *words: module.asked.append(words))
    monkeypatch.setattr(module.subprocess, "Popen", start)
    return module


@pytest.mark.parametrize(
    ("words", "extra", "end"),
    [
        (["lab", "--no-browser"], "", ["--no-browser"]),
        (["test", "-k", "rnn", "--help"], "test", ["-m", "pytest", "-k", "rnn", "--help"]),
        (["build", "01"], "grading", ["-m", "tools.build", "01"]),
        (["site"], "site", ["-m", "tools.site"]),
        (["slides"], "site", ["-m", "tools.slides"]),
        (["grading", "../marks"], "grading", ["-m", "tools.grading", "../marks"]),
        (["handout", "90", "../lab"], "", ["-m", "tools.handout", "90", "../lab"]),
        (["record"], "", ["-m", "tools.record_runs"]),
        (["bench", "-k", "probe"], "test", ["tests/benchmarks", "-k", "probe"]),
        (["wheels", "--for", "windows"], "", ["-m", "tools.wheels", "--for", "windows"]),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_each_command_runs_its_module(course, words, extra, end):
    assert course.main(words) == 0
    ((started, settings),) = course.started
    assert started[-len(end) :] == end
    assert settings["cwd"] == ROOT
    assert course.asked == [(extra, False)]
    single = words[0] in ("bench", "record")
    assert (settings["env"].get("VECLIB_MAXIMUM_THREADS") == "1") is single


def test_every_module_that_is_run_is_there(course):
    for _, (module, *_), _ in course.COMMANDS.values():
        assert importlib.util.find_spec(module), module


def test_without_a_word_jupyterlab_opens_on_the_first_page(course, capsys):
    course.main([])
    ((started, _),) = course.started
    assert started[:2] == ["-m", "jupyterlab"]
    assert started[-1].endswith(course.FIRST_PAGE)
    assert (ROOT / course.FIRST_PAGE).exists()
    assert "To end it" in capsys.readouterr().out


def test_settings_come_before_the_command(course):
    course.main(["--repair"])
    course.main(["test", "--repair"])
    assert course.asked == [("", True), ("test", False)]
    assert course.started[-1][0][-1] == "--repair"


def test_status_of_what_ran_comes_back(course):
    course.status = 5
    assert course.main(["test"]) == 5
    course.status = -9
    assert course.main(["test"]) == 137


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


def test_help_names_every_command_and_installs_nothing(course, capsys):
    with pytest.raises(SystemExit) as stop:
        course.main(["--help"])
    assert stop.value.code == 0
    told = capsys.readouterr().out
    for command in course.COMMANDS:
        assert re.search(rf"^  {command} +\w", told, flags=re.MULTILINE), command
    assert course.asked == []


def test_unknown_command_is_refused(course, capsys):
    with pytest.raises(SystemExit) as stop:
        course.main(["tset"])
    assert stop.value.code == 2
    assert "tset" in capsys.readouterr().err
