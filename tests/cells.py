"""A notebook's own functions, for tests that call them with other seeds."""

from __future__ import annotations

import ast
import functools
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import numpy as np
import torch

from helpers import figures, measure, networks, task, training

SOLUTIONS = Path(__file__).resolve().parents[1] / "notebooks" / "solutions"
DEFINITIONS = (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)


@functools.cache
def _statements(notebook: str) -> dict[str, list[ast.stmt]]:
    (path,) = SOLUTIONS.glob(f"{notebook}_*.ipynb")
    found = nbformat.read(path, as_version=4).cells
    return {cell.id: ast.parse(cell.source).body for cell in found if cell.cell_type == "code"}


def _run(
    notebook: str, ids: tuple[str, ...], space: dict[str, Any], kinds: Any = ast.stmt
) -> dict[str, Any]:
    for name in ids:
        body = [line for line in _statements(notebook)[name] if isinstance(line, kinds)]
        exec(compile(ast.Module(body, []), f"notebook {notebook}, {name}", "exec"), space)
    return space


def cells(notebook: str, *ids: str, **names: Any) -> dict[str, Any]:
    """Run cells of a worked notebook, in the order given; returns the names they leave.

    notebook: its number, such as "07". ids: of its code cells. names: what stands there
    before the first of them runs, in place of cells that are left out.
    Raises KeyError if the notebook has no code cell of that id.
    """
    return _run(notebook, ids, names)


def functions(notebook: str, *ids: str, **names: Any) -> dict[str, Any]:
    """Run of these cells the functions, classes and imports alone; otherwise like `cells`.

    So a test calls the function that a cell defines without the training that the cell starts.
    """
    return _run(notebook, ids, names, DEFINITIONS)


def stage(**more: Any) -> dict[str, Any]:
    """What stands in a notebook before a cell of it runs: the rooms, and nothing that shows."""
    unseen = dict.fromkeys(
        ("curves", "shares", "ink"), lambda *a, **k: SimpleNamespace(show=lambda: None)
    )
    return {
        "np": np,
        "torch": torch,
        "checks": SimpleNamespace(guess=lambda *given, **options: None),
        "figures": SimpleNamespace(about=figures.about, size=figures.size, **unseen),
        "measure": measure,
        "networks": networks,
        "task": task,
        "training": training,
        "guess": None,
        "factors": measure.log_factors,
        **more,
    }
