"""Importing helpers needs no network and no display, and loads little."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

HELPERS = Path(__file__).resolve().parents[1] / "helpers"
MODULES = sorted(f"helpers.{path.stem}" for path in HELPERS.glob("*.py") if path.stem != "__init__")
LATE = {"IPython", "ipywidgets", "jupyter_client", "matplotlib", "nbclient", "nbformat"}
COMES_WITH_JUPYTER = {"IPython", "nbclient", "nbconvert", "nbformat", "packaging"}

NOTEBOOK_TOOLS = {
    f"helpers.{name}" for name in ("build", "grading", "learner", "reading", "site", "slides")
}

DISPLAYS = {"DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND"}

LIST_MODULES = """
import json, socket, sys

def refuse(*arguments, **settings):
    raise AssertionError("the network was asked for")

socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
before = set(sys.modules)
for name in sys.argv[1:]:
    __import__(name)
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def loaded_by(*names: str) -> set[str]:
    """The modules that importing these loads, without network and display."""
    without = {key: value for key, value in os.environ.items() if key not in DISPLAYS}
    done = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning:helpers", "-c", LIST_MODULES, *names],
        env=without,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return set(json.loads(done.stdout))


def test_every_module_imports_without_network_and_display():
    assert {"helpers.networks.rnn", "tools.build"} <= set(MODULES)
    assert set(MODULES) <= loaded_by(*MODULES)


def test_figures_and_widgets_load_when_first_used():
    loaded = loaded_by(*(name for name in MODULES if name not in NOTEBOOK_TOOLS))
    assert "torch" in loaded
    assert {name.split(".")[0] for name in loaded} & LATE == set()


def test_the_package_itself_loads_nothing_else():
    assert loaded_by("helpers") == {"helpers"}


@pytest.mark.parametrize("path", sorted(HELPERS.glob("*.py")), ids=lambda path: path.stem)
def test_every_import_is_declared(path):
    declared = {"helpers", *COMES_WITH_JUPYTER, *sys.stdlib_module_names}
    required = map(Requirement, metadata.requires("vanishing-gradients-course"))
    declared.update(line.name for line in required if "extra" not in str(line.marker))
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert {alias.name.split(".")[0] for alias in node.names} <= declared
        elif isinstance(node, ast.ImportFrom):
            assert node.module.split(".")[0] in declared
