"""Whether this Python holds what the course needs, and what to type where it does not."""

from __future__ import annotations

import sys
from importlib import metadata

COURSE = "vanishing-gradients-course"
OLDEST_PYTHON = (3, 10)


def problems() -> list[str]:
    """What keeps the course from running here, each in one sentence with its remedy.

    Looks at the Python version and at every distribution that the installed course
    requires (extras apart). Returns an empty list where nothing is amiss.
    """
    found = []
    if tuple(sys.version_info[:2]) < OLDEST_PYTHON:
        have, need = (".".join(map(str, v[:2])) for v in (sys.version_info, OLDEST_PYTHON))
        found.append(
            f"This is Python {have} and the course needs {need} or newer; "
            "with conda, run: conda env create -f environment.yml"
        )
    try:
        required = metadata.requires(COURSE) or []
    except metadata.PackageNotFoundError:
        return [
            *found,
            "The course's helpers are not installed in this Python; "
            "in the course's folder, run: python -m pip install -e .",
        ]
    try:
        from packaging.requirements import Requirement
    except ImportError:
        return [*found, "packaging is not installed; run: python -m pip install packaging"]
    for requirement in map(Requirement, required):
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        version = _installed_version(requirement.name)
        if version and requirement.specifier.contains(version, prereleases=True):
            continue
        state = f"{version} is out of range" if version else "is not installed"
        wanted = f"{requirement.name}{requirement.specifier}"
        found.append(f'{requirement.name} {state}; run: python -m pip install "{wanted}"')
    return found


def report() -> str:
    """The problems, one a line, or the sentence that says there are none."""
    return "\n".join(problems()) or "everything this course needs is installed"


def _installed_version(name: str) -> str | None:
    """Version of an installed distribution; None if it is absent or half removed."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
