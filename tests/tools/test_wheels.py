"""tools.wheels: what is fetched for which computer. No test here fetches anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import install, wheels


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The words of each call of pip, which leaves one file instead of wheels."""
    called = []

    def call(words: list[str]) -> int:
        called.append(words)
        folder = Path(words[words.index("--dest") + 1])
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "one.whl").write_bytes(bytes(1_000_000))
        return 0

    constraints = wheels.ROOT / "constraints.txt"
    (tmp_path / "constraints.txt").write_bytes(constraints.read_bytes())
    monkeypatch.setattr(wheels, "ROOT", tmp_path)
    monkeypatch.setattr(wheels.subprocess, "call", call)
    monkeypatch.setattr(install, "cpu_index_answers", lambda: True)
    return called


def names(system: str, python: str = "3.12.0", gpu: bool = False) -> list[str]:
    return [pin.partition("==")[0] for pin in wheels.pins(system, python, gpu)]


@pytest.mark.parametrize("python", ["3.10.0", "3.11.0", "3.11.99", "3.13.0", "3.14.99"])
@pytest.mark.parametrize("system", wheels.SYSTEMS)
def test_each_package_comes_once_for_each_computer(system, python):
    found = names(system, python)
    assert len(found) == len(set(found)) > 150
    assert {"torch", "numpy", "setuptools"} <= set(found)  # setuptools builds the course


def test_each_system_gets_its_own_packages_and_those_for_gpus_where_they_are_asked_for():
    assert {"pywinpty", "colorama"} <= set(names("windows")) - set(names("linux"))
    assert {"ptyprocess", "pexpect"} <= set(names("linux")) - set(names("windows"))
    assert "appnope" in set(names("macos")) - set(names("linux"))
    assert "tomli" in set(names("linux", "3.10.0")) - set(names("linux", "3.12.0"))
    more = set(names("linux", gpu=True)) - set(names("linux"))
    assert {"triton", "nvidia-cublas"} <= more
    assert names("windows", gpu=True) == names("windows")


def test_windows_set_is_fetched_in_one_call_and_a_failure_is_told(
    calls, tmp_path, monkeypatch, capsys
):
    assert wheels.main(["--for", "windows", "--python", "3.12"]) == 0
    (words,) = calls
    assert str(tmp_path / "wheels" / "windows-3.12") in words
    assert words[words.index("--platform") + 1] == "win_amd64"
    wanted = wheels.pins("windows", "3.12.0")
    assert words[-len(wanted) :] == wanted
    assert "Done: 1 MB" in capsys.readouterr().out
    monkeypatch.setattr(wheels.subprocess, "call", lambda words: 1)
    assert wheels.main(["--for", "linux"]) == 1
    assert "Fetching stopped" in capsys.readouterr().err


def test_early_and_late_releases_of_a_python_are_served(calls):
    wheels.fetch("macos", "3.11", wheels.ROOT)
    late, early = calls
    assert wheels.pins("macos", "3.11.7")[-1] in late
    for pin in wheels.pins("macos", "3.11.0"):
        assert (pin in late) is not (pin in early)


def test_linux_set_takes_the_cpu_build_where_it_can_be_had(calls, monkeypatch, capsys):
    wheels.main(["--for", "linux", "--python", "3.12"])
    torch, rest = calls
    assert install.CPU_INDEX in torch
    assert torch[-1].startswith("torch==")
    assert torch[-1] not in rest
    calls.clear()
    monkeypatch.setattr(install, "cpu_index_answers", lambda: False)
    wheels.main(["--for", "linux", "--python", "3.12"])
    (words,) = calls
    assert any(word.startswith("triton==") for word in words)
    assert "build for GPUs" in capsys.readouterr().out
