"""Importing helpers needs no network and no display, loads little, and runs one way."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import helpers

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted((ROOT / "helpers").rglob("*.py"))
ROOMS = {path.relative_to(ROOT / "helpers").parts[0].removesuffix(".py") for path in FILES}
ROOMS -= {"__init__"}

# A room may import those on lines above its own.
FLOORS = (
    {"validation"},
    {"task", "networks", "environment", "claims"},
    {"measure"},
    {"training", "record"},
    {"figures"},
    {"checks"},
)
LATE = {"IPython", "ipywidgets", "jupyter_client", "matplotlib", "nbclient", "nbformat"}
BROUGHT_ALONG = {"IPython", "PIL", "nbclient", "nbconvert", "nbformat", "packaging"}
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


def module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module(path): path for path in FILES}


def loaded_by(*names: str) -> set[str]:
    """The modules that importing these loads, without network and display."""
    without = {key: value for key, value in os.environ.items() if key not in DISPLAYS}
    words = [sys.executable, "-c", LIST_MODULES, *names]
    return set(json.loads(subprocess.check_output(words, env=without, cwd=ROOT)))


def imports(path: Path) -> set[str]:
    """The modules that a file imports, at its head or inside of a function."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_every_module_imports_without_network_and_display():
    assert {"helpers.networks.rnn", "helpers.checks"} <= MODULES.keys()
    loaded = loaded_by(*MODULES)
    assert loaded >= MODULES.keys()
    assert "torch" in loaded
    assert {name.split(".")[0] for name in loaded} & LATE == set()


def test_every_room_can_be_imported_first():
    """In one process, since each would load torch anew: what is forgotten is the course's own."""
    code = """
import importlib, sys
for room in sys.argv[1:]:
    for name in [name for name in sys.modules if name.split(".")[0] == "helpers"]:
        del sys.modules[name]
    importlib.import_module(f"helpers.{room}")
"""
    subprocess.run([sys.executable, "-c", code, *sorted(ROOMS)], cwd=ROOT, check=True)


def test_the_package_itself_loads_nothing_else():
    assert loaded_by("helpers") == {"helpers"}


def test_the_package_names_all_its_rooms():
    named = set(re.findall(r"^(\w+) {2,}\S", helpers.__doc__, re.M))
    assert named == ROOMS
    assert set().union(*FLOORS) == ROOMS


@pytest.mark.parametrize("name", sorted(MODULES.keys() - {"helpers"}))
def test_imports_run_one_way(name):
    room = name.split(".")[1]
    floor = next(at for at, rooms in enumerate(FLOORS) if room in rooms)
    below = {room}.union(*FLOORS[:floor])
    found = imports(MODULES[name])
    used = {target.split(".")[1] for target in found if target.startswith("helpers.")}
    assert used <= below


def test_every_import_is_declared():
    declared = {"helpers", *BROUGHT_ALONG, *sys.stdlib_module_names}
    required = map(Requirement, metadata.requires("vanishing-gradients-course"))
    declared.update(line.name for line in required if "extra" not in str(line.marker))
    for path in FILES:
        assert {target.split(".")[0] for target in imports(path)} <= declared, path
