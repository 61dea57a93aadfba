"""Remember which exercises are solved: in this kernel, and in a small file between kernels.

The file is a convenience: when it is missing, broken, foreign or cannot be written, the
checks go on without it. With COURSE_PROGRESS=off in the environment, as in every test run,
it is neither read nor written.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from pathlib import Path

from helpers.checks.results import SOLVED, STATUSES, Result

PATH = Path(__file__).resolve().parents[2] / ".progress.json"
SWITCH = "COURSE_PROGRESS"
LARGEST = 100_000  # bytes; a longer file is not ours

_in_kernel: dict[str, str] = {}


def remember(result: Result) -> None:
    """Keep a result's status; an exercise once solved stays solved."""
    _merge(_in_kernel, {result.exercise: result.status})
    path = _path()
    if path is None:
        return
    stored = _read(path)
    merged = _merge(dict(stored), _in_kernel)
    if merged != stored:
        _write(path, merged)


def remembered() -> dict[str, str]:
    """The last status of each exercise that was tried, in this kernel or before."""
    path = _path()
    return _merge(_read(path) if path else {}, _in_kernel)


def _path() -> Path | None:
    return None if os.environ.get(SWITCH) == "off" else PATH


def _merge(statuses: dict[str, str], newer: dict[str, str]) -> dict[str, str]:
    """Write the newer statuses over the old ones, except over a solution."""
    for name, status in newer.items():
        if status in SOLVED or statuses.get(name) not in SOLVED:
            statuses[name] = status
    return statuses


def _read(path: Path) -> dict[str, str]:
    """What the file says of exercises, or {} if it says nothing that we wrote."""
    try:
        if path.stat().st_size > LARGEST:
            return {}
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(content, dict):
        return {}
    return {name: s for name, s in content.items() if isinstance(s, str) and s in STATUSES}


def _write(path: Path, statuses: dict[str, str]) -> None:
    """Write the file whole, or leave the old one as it is."""
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(".tmp", ".progress", path.parent)
        with open(handle, "w", encoding="utf-8") as file:
            json.dump(statuses, file, indent=1, sort_keys=True)
        os.replace(temporary, path)
    except OSError:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
