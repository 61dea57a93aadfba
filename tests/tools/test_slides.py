"""tools.slides: the decks, made and shown in a headless browser."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from small_notebook import SMALL, picture, small
from walker import Reader, deck_faults

from tools import reading, slides


def printed(text: str) -> NotebookNode:
    """A code cell that printed a text."""
    return new_code_cell("tell()", outputs=[new_output("stream", text=text)])


def typed(kind: str, cell: NotebookNode) -> NotebookNode:
    """The cell with its place on the slides said."""
    cell.metadata["slideshow"] = {"slide_type": kind}
    return cell


# --- What goes where


def test_headings_guesses_figures_and_results_are_shown():
    cells = [
        new_markdown_cell("# 00 · Title\n\nThe question."),
        new_code_cell("import numpy"),
        new_markdown_cell("## A section\n\n**Write down your guess:** equal?"),
        printed("equal: True"),
        new_markdown_cell("They are equal."),
        picture("A line."),
        new_markdown_cell("**Write down your guess:** and now?"),
        new_markdown_cell("### A part"),
    ]
    kinds = slides.slide_types(new_notebook(cells=cells))
    assert " ".join(kinds) == "slide skip slide fragment notes subslide subslide subslide"


def test_answers_checks_sliders_and_progress_are_not_shown():
    shown = "slide skip subslide slide skip skip subslide skip fragment fragment skip"
    assert " ".join(slides.slide_types(small())) == shown


def test_result_without_room_is_the_speakers_to_tell():
    long = new_markdown_cell("# Title\n\n" + "\n".join(["A line of prose."] * 12))
    kinds = slides.slide_types(new_notebook(cells=[long, printed("1\n2"), printed("x\n" * 9)]))
    assert kinds == ["slide", "fragment", "notes"]


def test_figure_makes_room_for_a_line_or_two_and_the_speaker_has_the_rest(tmp_path):
    for lines, height in ((2, slides.FIGURE - 2 * slides.LINE - slides.GAP), (7, slides.FIGURE)):
        cell = picture("A line.")
        cell.outputs.append(new_output("stream", text="x\n" * lines))
        [[shown]] = slides.columns(new_notebook(cells=[cell]), "00_x", tmp_path / "figures")
        assert f"--figure: {height}px" in shown
        assert (slides.NOTES.partition("{")[0] in shown) == (lines > 2)


def test_what_is_printed_after_an_exercise_is_not_shown_as_its_answer():
    check = new_code_cell("check", metadata={"nbgrader": {"grade": True}})
    cells = [new_markdown_cell("### Exercise"), check, printed("1 of 3")]
    assert slides.slide_types(new_notebook(cells=cells)) == ["subslide", "skip", "notes"]


def test_a_slide_has_one_message_and_the_speaker_the_rest():
    hint = "<details><summary>Hint 1</summary>\n\nLook.\n\n</details>"
    navigation = "[contents](index.ipynb)"
    source = f"## Title\n\n{navigation}\n\nFirst.\n\n$$x$$\n\nSecond.\n\n{hint}"
    assert slides.message(source) == ("## Title\n\nFirst.\n\n$$x$$", "Second.")
    exercise = "### Exercise\n\n*Why it matters:* it does.\n\nReturn 1."
    assert slides.message(exercise)[0] == "### Exercise\n\nReturn 1."
    asked = "Before.\n\nIt grows. **Write down your guess:** how far?\n\nAfter."
    assert slides.message(asked) == (asked.split("\n\n")[1], "Before.\n\nAfter.")
    assert slides.message("Of before.\n\n## Title\n\nFirst.") == (
        "## Title\n\nFirst.",
        "Of before.",
    )


def test_what_a_guess_is_about_stands_on_its_slide():
    asked = "**Write down your guess:** which?"
    source = f"Take two:\n\n- one;\n- the other.\n\nSaid.\n\nWith\n\n$$x$$\n\n{asked}"
    shown, said = slides.message(source)
    assert shown == f"Take two:\n\n- one;\n- the other.\n\n$$x$$\n\n{asked}"
    assert said == "Said.\n\nWith"


def test_a_slide_shows_one_result_and_of_a_guess_its_answer():
    answer = printed("measured 2.")
    answer.source = 'checks.guess("how far", guess, 2)'
    asked = new_markdown_cell("## Far\n\n**Write down your guess:** how far?")
    kinds = slides.slide_types(new_notebook(cells=[asked, printed("1"), answer, printed("3")]))
    assert kinds == ["slide", "fragment", "fragment", "notes"]
    told = new_markdown_cell("## Far\n\nHow far?")
    kinds = slides.slide_types(new_notebook(cells=[told, printed("1"), printed("3")]))
    assert kinds == ["slide", "fragment", "notes"]


def test_a_cell_may_say_where_it_goes(tmp_path):
    cells = [
        new_markdown_cell("# Title"),
        typed("skip", printed("hidden")),
        typed("-", new_code_cell("def step(h):\n    return h < 1")),
        typed("notes", printed("said")),
        typed("slide", printed("alone")),
    ]
    first, second = slides.columns(new_notebook(cells=cells), "00_x", tmp_path / "figures")
    [title], [alone] = first, second
    assert "<h1>Title</h1>" in title
    assert "hidden" not in title
    assert "return h &lt; 1" in title
    assert '<aside class="notes"><pre class="output">said</pre></aside>' in title
    assert alone == '<h2>Title</h2>\n<pre class="output">alone</pre>'


def test_results_after_an_exercise_stand_under_the_section(tmp_path):
    check = new_code_cell("check()", metadata={"nbgrader": {"grade": True, "solution": False}})
    cells = [
        new_markdown_cell("# Title"),
        new_markdown_cell("## Section"),
        new_markdown_cell("### Exercise"),
        typed("subslide", printed("within")),
        check,
        typed("subslide", printed("after")),
    ]
    notebook = new_notebook(cells=cells)
    _, [_, _, within, after] = slides.columns(notebook, "00_x", tmp_path / "figures")
    assert "<h2>Exercise</h2>" in within
    assert "<h2>Section</h2>" in after


def test_unknown_place_is_refused():
    notebook = new_notebook(cells=[new_markdown_cell("# x"), typed("page", printed("x"))])
    with pytest.raises(ValueError, match="cell 1: slide_type 'page' is none of slide, subslide"):
        slides.slide_types(notebook)


def test_failed_deck_leaves_the_last_ones(tmp_path):
    pytest.importorskip("sphinx_revealjs", reason='needs pip install -e ".[site]"')
    notebook = new_notebook(cells=[new_markdown_cell("# x"), picture(" ")])
    nbformat.write(notebook, tmp_path / "00_x.ipynb")
    (tmp_path / "slides").mkdir()
    with pytest.raises(ValueError, match="00_x-1-0: the figure has no alt text"):
        slides.build(tmp_path, tmp_path / "slides")
    assert list((tmp_path / "slides").iterdir()) == []


# --- The decks: the course's and the small notebook's


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, NotebookNode]]:
    """The folder of decks, and the notebook of each."""
    pytest.importorskip("sphinx_revealjs", reason='needs pip install -e ".[site]"')
    folder = tmp_path_factory.mktemp("notebooks")
    for path in reading.sources():
        shutil.copy(path, folder)
    nbformat.write(small(), folder / f"{SMALL}.ipynb")
    decks = tmp_path_factory.mktemp("site") / "slides"
    names = slides.build(folder, decks)
    return decks, {name: reading.read(folder / f"{name}.ipynb") for name in names}


def formulas_shown(notebook: NotebookNode) -> int:
    """How many formulas stand in the cells that a deck shows, its notes included, hints not."""
    kinds = zip(notebook.cells, slides.slide_types(notebook), strict=True)
    prose = (
        new_markdown_cell(slides.DETAILS.sub("", cell.source))
        for cell, kind in kinds
        if kind != "skip" and cell.cell_type == "markdown"
    )
    return reading.formulas(new_notebook(cells=list(prose)))


def test_no_deck_has_a_fault(made, chromium):
    decks, notebooks = made
    assert len(notebooks) == len(reading.sources()) + 1
    for name, notebook in notebooks.items():
        formulas = formulas_shown(notebook)
        count, faults = deck_faults(chromium, decks, f"{name}.html", formulas)
        assert faults == []
        figures = sum(bool(reading.drawn(o)) for c in notebook.cells for o in c.get("outputs", []))
        assert count > figures


def test_list_of_decks_leads_to_each(made, chromium):
    decks, notebooks = made
    reader = Reader(chromium, decks)
    reader.open("index.html")
    links = reader.tab.locator("a")
    assert [link.get_attribute("href") for link in links.all()] == [f"{n}.html" for n in notebooks]
    assert reader.close() == []


def test_keys_lead_through_a_deck(made, chromium):
    reader = Reader(chromium, made[0])
    reader.open(f"{SMALL}.html")
    reader.tab.wait_for_function("() => Reveal.isReady()")
    seen = []
    for _ in range(3):
        seen.append(reader.tab.evaluate("() => Reveal.getCurrentSlide().innerText"))
        reader.tab.keyboard.press("Space")
    assert [text.splitlines()[0] for text in seen] == ["99 · A small one"] * 2 + ["Exercise"]
    assert reader.tab.locator("img[alt='Another line.']").count() == 1
    assert reader.close() == []


def test_planted_faults_are_found(made, chromium):
    decks, _ = made
    bare = '<section><h2>Bare</h2><pre class="output">1</pre></section>'
    tall = '<section><h2>Tall</h2><div style="height: 800px; width: 1200px"></div></section>'
    planted = {
        f'<img src="figures/{SMALL}-2-0.png">': "image without alt text: ",
        "<p>$\\nosuch$</p>": "formula in error: \\nosuch",
        '<script>console.error("planted")</script>': "console error: planted",
    }
    page = (decks / f"{SMALL}.html").read_text(encoding="utf-8")
    page = re.sub(
        r"</section>\s*</section>",
        lambda _: f"{''.join(planted)}</section>{tall}{bare}</section>",
        page,
        count=1,
    )
    (decks / "planted.html").write_text(page, encoding="utf-8")
    try:
        _, faults = deck_faults(chromium, decks, "planted.html", 1000)
    finally:
        (decks / "planted.html").unlink()
    more = (
        'Bare" is bare lines',
        "high in a frame of 700",
        "1200 wide in a frame of 960",
        "formulas shown of 1000",
    )
    for expected in (*planted.values(), *more):
        assert any(expected in fault for fault in faults), (expected, faults)
