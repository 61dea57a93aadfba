"""The three files that say what the course needs agree; any Python can read course.py."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import warnings
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import helpers

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
RUNTIME = [Requirement(line) for line in PROJECT["dependencies"]]
EXTRAS = PROJECT["optional-dependencies"]
OWN = f"{PROJECT['name']}[grading,site]"  # the test extra brings the other two
TEST = [Requirement(line) for extra in EXTRAS.values() for line in extra if line != OWN]
CONSTRAINTS = [
    Requirement(line)
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
CONDA_NAMES = {"matplotlib-base": "matplotlib", "pytorch-cpu": "torch"}
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
COURSE = (ROOT / "course.py").read_text(encoding="utf-8")
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))


# --- pyproject.toml, constraints.txt, environment.yml


def pins(name: str, python: str) -> list[Version]:
    """The versions that constraints.txt gives for a name under a Python."""
    markers = {"python_version": python, "python_full_version": f"{python}.0"}
    return [
        Version(next(iter(line.specifier)).version)
        for line in CONSTRAINTS
        if line.name == name and (line.marker is None or line.marker.evaluate(markers))
    ]


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("wanted", RUNTIME + TEST, ids=lambda requirement: requirement.name)
def test_each_requirement_has_one_tested_version_within_its_range(wanted, python):
    if wanted.marker and not wanted.marker.evaluate({"python_version": python}):
        assert pins(wanted.name, python) == []
        return
    (pin,) = pins(wanted.name, python)
    assert pin in wanted.specifier


def test_constraints_are_exact_and_unique_for_each_python():
    for line in CONSTRAINTS:
        assert [clause.operator for clause in line.specifier] == ["=="], line
        for python in PYTHONS:
            assert len(pins(line.name, python)) <= 1, line


def test_constraints_hold_everything_that_is_installed():
    """From the requirements on, through what the installed packages ask for in their turn."""
    assert set(EXTRAS) == {"grading", "site", "test"}
    assert OWN in EXTRAS["test"]
    python = "{}.{}".format(*sys.version_info[:2])
    left = [wanted for wanted in RUNTIME + TEST if not wanted.marker or wanted.marker.evaluate()]
    seen = set()
    while left:
        wanted = left.pop()
        if (wanted.name, *wanted.extras) in seen:
            continue
        seen.add((wanted.name, *wanted.extras))
        for line in map(Requirement, metadata.requires(wanted.name) or []):
            extras = wanted.extras or {""}
            if not line.marker or any(line.marker.evaluate({"extra": extra}) for extra in extras):
                left.append(line)
    names = {canonicalize_name(name) for name, *_ in seen}
    assert len(names) > 100
    assert [name for name in sorted(names) if len(pins(name, python)) != 1] == []


def test_conda_environment_asks_for_what_pyproject_asks_for():
    *conda, pip = ENVIRONMENT["dependencies"]
    assert pip == {"pip": ["-e .[test]"]}
    assert ENVIRONMENT["channels"] == ["conda-forge"]
    assert ENVIRONMENT["name"] == PROJECT["name"]
    asked = {CONDA_NAMES.get(r.name, r.name): str(r.specifier) for r in map(Requirement, conda)}
    wanted = {line.name: str(line.specifier) for line in RUNTIME}
    assert asked == {**wanted, "python": PROJECT["requires-python"], "pip": ""}


# --- course.py as a file


def test_installing_needs_only_the_standard_library_of_the_oldest_python():
    imported = set()
    for name in ("course.py", "tools/__init__.py", "tools/install.py"):
        source = (ROOT / name).read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(source, feature_version=(3, 10))):
            if isinstance(node, ast.Import):
                imported.update(alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                imported.add(node.module.split(".")[0])
    assert {"subprocess", "tools"} <= imported
    assert imported - {"tools"} <= sys.stdlib_module_names


def test_course_can_be_read_by_old_pythons():
    for node in ast.walk(ast.parse(COURSE, feature_version=(3, 7))):
        assert not isinstance(node, (ast.JoinedStr, ast.AnnAssign, ast.Nonlocal))
        if isinstance(node, (ast.List, ast.Tuple)):
            assert not any(isinstance(element, ast.Starred) for element in node.elts)
        if isinstance(node, ast.FunctionDef):
            assert node.returns is None
            assert not node.args.kwonlyargs
            assert not any(argument.annotation for argument in node.args.args)


def test_old_python_is_told_before_anything_else_is_imported():
    code = (
        "import __future__, sys; source = open(sys.argv[1]).read(); sys.path.clear(); "
        "sys.version_info = (3, 9, 1, 'final', 0); exec(source)"
    )
    words = [sys.executable, "-c", code, ROOT / "course.py"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("The course needs Python 3.10 or newer, and this is Python 3.9.")
    assert "Traceback" not in done.stderr


# --- pytest's settings


@pytest.mark.parametrize("kind", [DeprecationWarning, RuntimeWarning])
@pytest.mark.parametrize("module", ["helpers", "helpers.measure.signal", "tools.site.pages"])
def test_warnings_of_the_course_are_errors(kind, module):
    with pytest.raises(kind):
        warnings.warn_explicit("old", kind, "file.py", 1, module=module)


def test_warnings_of_others_are_not():
    with pytest.warns(DeprecationWarning, match="old"):
        warnings.warn_explicit("old", DeprecationWarning, "file.py", 1, module="helpersome")


# --- What a reader is told


def test_licences_are_named_alike_everywhere():
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert " AND ".join(CITATION["license"]) == PROJECT["license"] == "MIT AND CC-BY-4.0"
    assert "MIT License" in licence
    assert "SPDX-License-Identifier: CC-BY-4.0" in licence


def test_versions_are_alike_everywhere():
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert helpers.__version__ == PROJECT["version"] == CITATION["version"]
    assert changes.split("\n## ")[1].startswith(PROJECT["version"])


def test_places_that_are_told_exist():
    told = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("## Where things are")[1]
    table = told.split("\n## ")[0]
    paths = re.findall(r"`([\w.]+/[\w./]*)`", table)
    assert len(paths) > 15
    assert [path for path in paths if not (ROOT / path).exists()] == []
    for name, path in re.findall(r"`(\w+)` in `([\w/.]+)`", table):
        assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), name
