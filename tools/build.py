"""Run the notebooks and store them so that the same run gives the same file anywhere.

notebooks/solutions/ holds the worked notebooks, the one source; the learner's copies in
notebooks/ are made from them (tools.learner). Both are run.

From the command line: python -m tools.build [name ...], without a name all of them.
A name is a notebook's or its beginning, such as 01.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from tools.learner import BadMarks, learner_copy

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
SOLUTIONS = NOTEBOOKS / "solutions"
CELL_SECONDS = 600  # a busy machine may take its time; the quiet one has 10 a cell
IGNORED_OUTPUT = "nbval-ignore-output"
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
FOLDED = "<!-- Run this cell to see what was measured. -->\n"
EDITOR_STATE = ("ExecuteTime", "collapsed", "execution", "scrolled", "trusted")


class NotebookFailed(RuntimeError):
    """A notebook that did not run to its end; the message names notebook, cell and reason."""


def normalise(notebook: NotebookNode) -> None:
    """Drop from a notebook, in place, what differs between machines, editors and runs.

    Widget state, timings, fold marks and Python's version go; the outputs of cells tagged
    nbval-ignore-output (the sliders) are emptied; text printed in pieces becomes one piece.
    A folded picture or result begins with FOLDED: JupyterLab shows the first line of its HTML
    while it is folded, which would be the answer.
    Sources, ids, tags and execution counts stay. A cell without an id gets its position.
    """
    notebook.nbformat_minor = 5
    notebook.metadata = NotebookNode(
        kernelspec=NotebookNode(KERNEL), language_info=NotebookNode(name="python")
    )
    for position, cell in enumerate(notebook.cells):
        cell.setdefault("id", f"cell-{position}")
        for key in EDITOR_STATE:
            cell.metadata.pop(key, None)
        if cell.cell_type != "code":
            continue
        if IGNORED_OUTPUT in cell.metadata.get("tags", []):
            cell.outputs = []
        cell.outputs = _joined_streams(cell.outputs)
        if cell.metadata.get("jupyter", {}).get("outputs_hidden"):
            for output in cell.outputs:
                page = output.get("data", {}).get("text/html")
                if page:
                    output.data["text/html"] = FOLDED + page.removeprefix(FOLDED)


def _joined_streams(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """The outputs with neighbouring pieces of one stream made one."""
    joined: list[NotebookNode] = []
    for output in outputs:
        last = joined[-1] if joined else None
        if last and output.output_type == last.output_type == "stream" and output.name == last.name:
            last.text += output.text
        else:
            joined.append(output)
    return joined


def execute(notebook: NotebookNode, name: str, folder: Path) -> None:
    """Run all cells of a notebook, in place, in a fresh kernel of this Python.

    name: what to call the notebook in an error. folder: the kernel's working folder.
    Raises NotebookFailed if a cell raises, takes over CELL_SECONDS or kills its kernel.
    """
    position = 0

    def remember(cell: NotebookNode, cell_index: int) -> None:
        nonlocal position
        position = cell_index

    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        kernel_name=KERNEL["name"],
        record_timing=False,
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        resources={"metadata": {"path": str(folder)}},
        on_cell_start=remember,
    )
    try:
        client.execute()
    except CellExecutionError as error:
        reason = f"{error.ename}: {error.evalue}"
    except CellTimeoutError:
        reason = f"still running after {CELL_SECONDS} s"
    except DeadKernelError:
        reason = "the kernel died"
    else:
        return
    cell = notebook.cells[position]
    line = next((line for line in cell.source.splitlines() if line.strip()), "")
    raise NotebookFailed(f"{name}, cell {position} ({cell.get('id')}: {line!r}): {reason}")


def write(notebook: NotebookNode, path: Path) -> None:
    """Write a notebook, whole or not at all: the old file stays until the new one is complete."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            nbformat.write(notebook, file)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def build(path: Path) -> float:
    """Run a worked notebook and the learner's copy of it, and store both, normalised.

    path: of the worked one, in a folder within the learners'.
    Returns the seconds that both runs took.
    Raises NotebookFailed, and leaves all files as they were, if either fails or the marks
    around an answer do not fit.
    """
    worked = nbformat.read(path, as_version=4)
    try:
        learners = learner_copy(worked)
    except BadMarks as error:
        raise NotebookFailed(f"{path.name}, {error}") from error
    start = time.perf_counter()
    execute(worked, f"{path.parent.name}/{path.name}", path.parent)
    execute(learners, path.name, path.parent.parent)
    seconds = time.perf_counter() - start
    normalise(worked)
    normalise(learners)
    write(worked, path)
    write(learners, path.parent.parent / path.name)
    return seconds


def find(names: list[str], folder: Path = SOLUTIONS) -> list[Path]:
    """The notebooks of a folder whose names begin with one of these; all if names is empty.

    Raises ValueError naming the name that fits no notebook, and the notebooks there are.
    """
    notebooks = sorted(folder.glob("*.ipynb"))
    for name in names:
        if not any(path.name.startswith(name) for path in notebooks):
            known = ", ".join(path.stem for path in notebooks) or "none"
            raise ValueError(f"no notebook begins with {name!r}; in {folder} there are: {known}")
    return [path for path in notebooks if not names or path.name.startswith(tuple(names))]


def main(arguments: list[str] | None = None, folder: Path = SOLUTIONS) -> int:
    """Build the notebooks named; returns the exit status, 1 if any failed."""
    parser = argparse.ArgumentParser(prog="build", description="Run the notebooks and store them.")
    parser.add_argument("names", nargs="*", help="names or their beginnings, such as 01; none: all")
    names = parser.parse_args(arguments).names
    os.environ["COURSE_TRAINING"] = "last line"  # kernels inherit it: steps on the way would differ
    os.environ["COURSE_PROGRESS"] = "off"  # and what a learner has solved would, too
    try:
        paths = find(names, folder)
    except ValueError as error:
        parser.error(str(error))
    failed = 0
    for path in paths:
        try:
            print(f"{path.name}: {build(path):.1f} s", flush=True)
        except NotebookFailed as error:
            failed += 1
            print(error, file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
