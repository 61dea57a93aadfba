"""tools.reading: which notebooks are shown, and what of their cells."""

from __future__ import annotations

from importlib import metadata

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from small_notebook import ANSWER, CHECK, picture, small

from tools import reading, site, slides


def test_the_worked_copy_is_shown_where_there_is_one(tmp_path):
    (tmp_path / "solutions").mkdir()
    with pytest.raises(ValueError, match=f"no notebook in {tmp_path}"):
        reading.sources(tmp_path)
    for name in ("01_b.ipynb", "00_a.ipynb", "solutions/01_b.ipynb", "index.ipynb"):
        nbformat.write(small(), tmp_path / name)
    assert reading.sources(tmp_path) == [tmp_path / "00_a.ipynb", tmp_path / "solutions/01_b.ipynb"]


def test_answers_lose_their_marks_and_nothing_else():
    assert reading.solved(ANSWER) == "def f(n):\n    return 41 + n"
    assert reading.solved("x = 1\n\ny = 2") == "x = 1\n\ny = 2"
    assert reading.solved(CHECK) == "check(f)"


def test_formulas_of_the_prose_are_counted():
    cells = [
        new_markdown_cell("With $a$ and\n\n$$b\n= c$$\n\nand $d$."),
        new_code_cell("'$x$' '$y$'"),
        new_markdown_cell("None, for $5."),
    ]
    assert reading.formulas(new_notebook(cells=cells)) == 3


def test_text_of_a_figure_is_not_shown_twice():
    [drawn] = picture("A line.").outputs
    assert reading.text_of(drawn) == ""
    assert reading.text_of(new_output("stream", text="1\n")) == "1\n"
    assert reading.text_of(new_output("execute_result", {"text/plain": "2"})) == "2"
    assert reading.text_of(new_output("error", ename="E", evalue="", traceback=[])) == ""


def test_mathjax_is_copied_with_its_fonts_and_without_its_menu(tmp_path):
    if "sphinx-mathjax-offline" not in {d.name for d in metadata.distributions()}:
        pytest.skip('needs pip install -e ".[site]"')
    reading.copy_mathjax(tmp_path)
    found = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")}
    fonts = {path for path in found if path.endswith(".woff")}
    assert "tex-chtml-full.js" in found
    assert "output/chtml/fonts/woff-v2/MathJax_Main-Regular.woff" in fonts
    assert not any(path.startswith(("tex-svg", "a11y", "sre")) for path in found)


def test_missing_package_is_told(tmp_path, monkeypatch):
    def missing(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(reading.metadata, "files", missing)
    with pytest.raises(ValueError, match=r'pip install -e "\.\[grading,site\]"'):
        reading.copy_mathjax(tmp_path / "mathjax")
    assert not (tmp_path / "mathjax").exists()


@pytest.mark.parametrize(("room", "name"), [(site, "SITE"), (slides, "SLIDES")])
def test_folder_that_cannot_be_written_is_told_in_a_sentence(
    tmp_path, monkeypatch, capsys, room, name
):
    (tmp_path / "file").touch()
    monkeypatch.setattr(room, name, tmp_path / "file" / "pages")
    assert room.main([]) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"{tmp_path / 'file' / 'pages'} cannot be written: ")
    assert "Traceback" not in told
