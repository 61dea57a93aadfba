from __future__ import annotations

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


def test_all_well(pip_says):
    pip_says(0, "No broken requirements found.\n")
    assert environment.report() == "everything this course needs is installed"


def test_versions_that_do_not_fit_are_told_with_the_remedy(pip_says):
    pip_says(1, "torch 2.3 has requirement numpy<2, but you have numpy 2.1.\n")
    problem, remedy = environment.report().splitlines()
    assert problem.startswith("torch 2.3 has requirement")
    assert remedy.endswith("python course.py --repair")


def test_python_without_pip_says_so(pip_says):
    pip_says(1, "", "No module named pip\n")
    assert environment.report().startswith("No module named pip\n")


@pytest.mark.parametrize("spec", [None, SimpleNamespace(origin=None)], ids=["gone", "files gone"])
def test_package_without_its_files_is_named(monkeypatch, pip_says, spec):
    pip_says(0, "No broken requirements found.\n")
    find = environment.find_spec
    monkeypatch.setattr(
        environment, "find_spec", lambda name: spec if name == "matplotlib" else find(name)
    )
    assert environment.report().startswith("matplotlib: not found; in the course's folder, run: ")
