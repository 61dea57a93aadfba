from __future__ import annotations

import re
import subprocess
from types import SimpleNamespace

import pytest

from helpers import environment


@pytest.fixture
def pip_says(monkeypatch):
    def stub(status: int, stdout: str, stderr: str = "") -> None:
        done = subprocess.CompletedProcess([], status, stdout, stderr)
        monkeypatch.setattr(environment.subprocess, "run", lambda words, **settings: done)

    return stub


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ((0, "No broken requirements found.\n"), "^everything this course needs is installed$"),
        ((1, "torch 2.3 has requirement numpy<2.\n"), "^torch 2.3 has.*\n.*course.py --repair$"),
        ((1, "", "No module named pip\n"), "^No module named pip\n"),
    ],
)
def test_what_pip_says_is_told_with_the_remedy(pip_says, said, told):
    pip_says(*said)
    assert re.search(told, environment.report())


@pytest.mark.parametrize("spec", [None, SimpleNamespace(origin=None)], ids=["gone", "files gone"])
def test_package_without_its_files_is_named(monkeypatch, pip_says, spec):
    pip_says(0, "No broken requirements found.\n")
    find = environment.find_spec
    monkeypatch.setattr(
        environment, "find_spec", lambda name: spec if name == "matplotlib" else find(name)
    )
    assert environment.report().startswith("matplotlib: not found; in the course's folder, run: ")
