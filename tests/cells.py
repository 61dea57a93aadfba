"""A notebook's own functions, for tests that call them with other seeds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat

SOLUTIONS = Path(__file__).resolve().parents[1] / "notebooks" / "solutions"


def cells(notebook: str, *ids: str, **names: Any) -> dict[str, Any]:
    """Run cells of a worked notebook, in the order given; returns the names they leave.

    notebook: its number, such as "07". ids: of its code cells. names: what stands there
    before the first of them runs, in place of cells that are left out.
    Raises KeyError if the notebook has no code cell of that id.
    """
    (path,) = SOLUTIONS.glob(f"{notebook}_*.ipynb")
    found = nbformat.read(path, as_version=4).cells
    sources = {cell.id: cell.source for cell in found if cell.cell_type == "code"}
    space: dict[str, Any] = dict(names)
    for name in ids:
        exec(compile(sources[name], f"{path.name}, {name}", "exec"), space)
    return space
