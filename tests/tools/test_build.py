"""tools.build: the same run gives the same file, and a failed one changes nothing."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools import build

TAG = {"tags": [build.IGNORED_OUTPUT]}
ANSWER = {"nbgrader": {"solution": True}}


def store(path: Path, *cells: NotebookNode) -> Path:
    """Write a worked notebook with these cells, as an editor would leave it."""
    path.parent.mkdir(exist_ok=True)
    notebook = new_notebook(cells=[new_markdown_cell("# Title"), *cells])
    notebook.metadata["widgets"] = {"state": {}}
    notebook.metadata["language_info"] = {"name": "python", "version": "3.99.0"}
    with path.open("w", encoding="utf-8") as file:
        nbformat.write(notebook, file)
    return path


def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def test_building_twice_gives_the_same_bytes_and_both_copies_are_run(tmp_path):
    answer = "def two():\n    ### BEGIN SOLUTION\n    return 2\n    ### END SOLUTION"
    uses = "try:\n    print(two())\nexcept NotImplementedError:\n    print('?')"
    path = store(
        tmp_path / "solutions" / "01_x.ipynb",
        new_code_cell("import os\nprint(os.environ['COURSE_TRAINING'])"),
        new_code_cell("for i in range(3):\n    print(i, flush=True)", metadata={"scrolled": True}),
        new_code_cell("print(os.path.basename(os.getcwd()))", execution_count=99),
        new_code_cell(answer, metadata=ANSWER),
        new_code_cell(uses),
        new_code_cell("print('live')", metadata=TAG),
    )
    learners = tmp_path / path.name
    assert build.main([], path.parent) == 0
    first = [path.read_bytes(), learners.read_bytes()]
    assert build.main(["01"], path.parent) == 0
    assert [path.read_bytes(), learners.read_bytes()] == first
    assert sorted(tmp_path.rglob("*.*")) == [learners, path]
    for copy, folder, said in ((path, "solutions", "2"), (learners, tmp_path.name, "?")):
        assert copy.read_bytes().endswith(b"}\n")
        assert b"\r" not in copy.read_bytes()
        notebook = read(copy)
        nbformat.validate(notebook)
        code = notebook.cells[1:]
        assert [cell.execution_count for cell in code] == [1, 2, 3, 4, 5, 6]
        printed = ["".join(output.text for output in cell.outputs) for cell in code]
        assert printed == ["last line\n", "0\n1\n2\n", f"{folder}\n", "", f"{said}\n", ""]
        assert [len(cell.outputs) for cell in code] == [1, 1, 1, 0, 1, 0]
        assert [dict(cell.metadata) for cell in code] == [{}, {}, {}, ANSWER, {}, TAG]
        kept = {"kernelspec": build.KERNEL, "language_info": {"name": "python"}}
        assert notebook.metadata == kept
        assert ("return 2" in code[3].source) == (said == "2")


def test_normalise_keeps_ids_sources_and_alt_text_and_changes_nothing_twice():
    alt = {"text/html": {"alt": "a line"}}
    outputs = [
        new_output("stream", name="stdout", text="a"),
        new_output("stream", name="stderr", text="b"),
        new_output("stream", name="stderr", text="c"),
        new_output("display_data", {"text/html": ""}, metadata=alt),
        new_output("stream", name="stderr", text="d"),
    ]
    cell = new_code_cell("x = 1 ", outputs=outputs, id="chosen", execution_count=4)
    notebook = new_notebook(cells=[cell])
    build.normalise(notebook)
    once = nbformat.writes(notebook)
    assert (cell.id, cell.source, cell.execution_count) == ("chosen", "x = 1 ", 4)
    assert [output.get("text") for output in cell.outputs] == ["a", "bc", None, "d"]
    assert cell.outputs[2].metadata == alt
    build.normalise(notebook)
    assert nbformat.writes(notebook) == once


def test_folded_result_does_not_begin_with_the_answer():
    """JupyterLab shows the first line of a folded output's HTML."""
    data = {"text/html": "<div>measured 3</div>", "text/plain": "measured 3"}
    folded, shown = (new_code_cell(outputs=[new_output("display_data", data)]) for _ in range(2))
    folded.metadata["jupyter"] = {"outputs_hidden": True}
    notebook = new_notebook(cells=[folded, shown])
    for _ in range(2):
        build.normalise(notebook)
        pages = [cell.outputs[0].data["text/html"].splitlines() for cell in notebook.cells]
        assert pages == [[build.FOLDED.rstrip(), data["text/html"]], [data["text/html"]]]


def test_cell_without_id_gets_its_position():
    notebook = new_notebook(cells=[new_markdown_cell("# a"), new_markdown_cell("b")])
    notebook.nbformat_minor = 4
    for cell in notebook.cells:
        del cell["id"]
    build.normalise(notebook)
    assert [cell.id for cell in notebook.cells] == ["cell-0", "cell-1"]
    nbformat.validate(notebook)


def test_failed_notebook_is_named_and_keeps_its_file(tmp_path, capsys):
    stale = new_output("error", ename="OldError", evalue="", traceback=[])
    path = store(
        tmp_path / "solutions" / "02_bad.ipynb",
        new_code_cell("x = 1"),
        new_code_cell("\nraise KeyError('gap')", id="culprit"),
        new_code_cell("x", outputs=[stale]),
    )
    before = path.read_bytes()
    assert build.main([], path.parent) == 1
    told = capsys.readouterr().err
    assert "02_bad.ipynb, cell 2 (culprit: \"raise KeyError('gap')\"): KeyError: 'gap'" in told
    assert path.read_bytes() == before
    assert list(tmp_path.rglob("*.*")) == [path]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("### BEGIN SOLUTION\nx = 1\n### END SOLUTION\nx", r"cell 1 .*NotImplementedError"),
        ("### BEGIN SOLUTION", "no end solution"),
        ("import time\ntime.sleep(99)", r"cell 1 \(slow.*still running after 4 s"),
    ],
)
def test_notebook_that_fails_in_either_copy_is_named_and_both_stay(
    tmp_path, monkeypatch, source, reason
):
    monkeypatch.setattr(build, "CELL_SECONDS", 4)
    cell = new_code_cell(source, id="slow", metadata=ANSWER)
    path = store(tmp_path / "solutions" / "04_x.ipynb", cell)
    before = path.read_bytes()
    with pytest.raises(build.NotebookFailed, match=rf"04_x\.ipynb, {reason}"):
        build.build(path)
    assert list(tmp_path.rglob("*.*")) == [path]
    assert path.read_bytes() == before


def test_failed_write_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.ipynb"
    path.write_text("old")

    def fail(notebook: NotebookNode, file: object) -> None:
        file.write("half")
        raise OSError("disk full")

    monkeypatch.setattr(build.nbformat, "write", fail)
    with pytest.raises(OSError, match="disk full"):
        build.write(new_notebook(), path)
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.ipynb"]


def test_find_takes_beginnings_in_order_and_names_what_it_does_not_know(tmp_path, capsys):
    for name in ("02_b", "00_a", "01_c"):
        (tmp_path / f"{name}.ipynb").touch()
    assert [path.stem for path in build.find([], tmp_path)] == ["00_a", "01_c", "02_b"]
    assert [path.stem for path in build.find(["02", "00_a.ipynb"], tmp_path)] == ["00_a", "02_b"]
    with pytest.raises(SystemExit):
        build.main(["00", "07"], tmp_path)
    known = f"no notebook begins with '07'; in {tmp_path} there are: 00_a, 01_c, 02_b"
    assert known in capsys.readouterr().err
