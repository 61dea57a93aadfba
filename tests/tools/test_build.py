"""tools.build: the same run gives the same file, and a failed one changes nothing."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools import build

TAG = {"tags": [build.IGNORED_OUTPUT]}


def store(path: Path, *cells: NotebookNode) -> Path:
    """Write a worked notebook with these cells, as an editor would leave it."""
    path.parent.mkdir(exist_ok=True)
    notebook = new_notebook(cells=[new_markdown_cell("# Title"), *cells])
    notebook.metadata["widgets"] = {"state": {}}
    notebook.metadata["language_info"] = {"name": "python", "version": "3.99.0"}
    with path.open("w", encoding="utf-8") as file:
        nbformat.write(notebook, file)
    return path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """The file after one build and after a second one."""
    path = store(
        tmp_path_factory.mktemp("a folder") / "solutions" / "01_x.ipynb",
        new_code_cell("import os\nprint(os.environ['COURSE_TRAINING'])"),
        new_code_cell("for i in range(3):\n    print(i, flush=True)", metadata={"scrolled": True}),
        new_code_cell("os.path.basename(os.getcwd())[:9].rstrip('01')", execution_count=99),
        new_code_cell("print('live')", metadata=TAG),
    )
    assert build.main([], path.parent) == 0
    first = path.read_bytes()
    assert build.main(["01"], path.parent) == 0
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    learners = path.parent.parent / path.name
    assert [entry.name for entry in sorted(learners.parent.iterdir())] == [
        "01_x.ipynb",
        "solutions",
    ]
    assert learners.read_bytes() == first.replace(b"'solutions'", b"'a folder'")
    return first, path.read_bytes()


def test_building_twice_gives_the_same_bytes(built):
    first, second = built
    assert first == second
    assert first.endswith(b"}\n")
    assert b"\r" not in first


def test_build_runs_in_order_in_the_notebooks_folder(built):
    notebook = nbformat.reads(built[0].decode(), as_version=4)
    nbformat.validate(notebook)
    code = notebook.cells[1:]
    assert [cell.execution_count for cell in code] == [1, 2, 3, 4]
    assert [len(cell.outputs) for cell in code] == [1, 1, 1, 0]
    assert code[0].outputs[0].text == "last line\n"
    assert code[1].outputs[0].text == "0\n1\n2\n"
    assert code[2].outputs[0].data["text/plain"] == "'solutions'"


def test_build_keeps_tags_and_drops_what_editors_and_pythons_leave(built):
    notebook = nbformat.reads(built[0].decode(), as_version=4)
    assert notebook.metadata == {"kernelspec": build.KERNEL, "language_info": {"name": "python"}}
    assert [dict(cell.metadata) for cell in notebook.cells] == [{}, {}, {}, {}, TAG]


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
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    assert [entry.name for entry in tmp_path.iterdir()] == ["solutions"]


def answered(tail: str) -> list[NotebookNode]:
    """An answer between its marks, and a cell that uses it."""
    answer = "def two():\n    ### BEGIN SOLUTION\n    return 2\n    ### END SOLUTION" + tail
    cell = new_code_cell(answer, metadata={"nbgrader": {"solution": True}})
    return [
        cell,
        new_code_cell("try:\n    print(two())\nexcept NotImplementedError:\n    print('?')"),
    ]


def test_both_copies_are_run(tmp_path):
    path = store(tmp_path / "solutions" / "04_x.ipynb", *answered(""))
    build.build(path)
    worked, learners = (nbformat.read(p, as_version=4) for p in (path, tmp_path / path.name))
    assert worked.cells[2].outputs[0].text == "2\n"
    assert learners.cells[2].outputs[0].text == "?\n"
    assert "return 2" in worked.cells[1].source
    assert "return 2" not in learners.cells[1].source


def test_a_learners_copy_that_fails_leaves_both_files_as_they_were(tmp_path):
    path = store(tmp_path / "solutions" / "04_x.ipynb", *answered("\n\n\ntwo()"))
    before = path.read_bytes()
    with pytest.raises(build.NotebookFailed, match=r"^04_x\.ipynb, cell 1 .*NotImplementedError"):
        build.build(path)
    assert path.read_bytes() == before
    assert not (tmp_path / path.name).exists()


def test_marks_that_do_not_pair_are_named(tmp_path):
    path = store(tmp_path / "solutions" / "04_x.ipynb", new_code_cell("### BEGIN SOLUTION", id="x"))
    with pytest.raises(build.NotebookFailed, match=r"04_x\.ipynb, no end solution"):
        build.build(path)


def test_endless_cell_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(build, "CELL_SECONDS", 1)
    path = store(
        tmp_path / "solutions" / "03_slow.ipynb", new_code_cell("while True: pass", id="slow")
    )
    with pytest.raises(build.NotebookFailed, match=r"cell 1 \(slow.*still running after 1 s"):
        build.build(path)


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


def test_find_takes_beginnings_in_order_and_names_what_it_does_not_know(tmp_path):
    for name in ("02_b", "00_a", "01_c"):
        (tmp_path / f"{name}.ipynb").touch()
    assert [path.stem for path in build.find([], tmp_path)] == ["00_a", "01_c", "02_b"]
    assert [path.stem for path in build.find(["02", "00_a.ipynb"], tmp_path)] == ["00_a", "02_b"]
    with pytest.raises(ValueError, match=r"'07'; in .* there are: 00_a, 01_c, 02_b"):
        build.find(["00", "07"], tmp_path)


def test_unknown_name_ends_with_a_sentence(tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        build.main(["07"], tmp_path)
    assert stop.value.code == 2
    assert "no notebook begins with '07'" in capsys.readouterr().err
