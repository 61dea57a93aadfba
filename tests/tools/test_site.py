"""tools.site: the reading edition, built and read in a headless browser."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_markdown_cell, new_notebook
from small_notebook import SMALL, picture, small
from walker import Reader, browser, page_faults

from tools import reading, site
from tools.build import NOTEBOOKS
from tools.learner import learner_copy

# --- One page


def test_solution_is_folded_below_the_task(tmp_path):
    cells = site.page(small(), learner_copy(small()), SMALL, tmp_path / "figures").cells
    task, answer = cells[4], cells[5]
    assert task.source.splitlines() == [
        "```python",
        "def f(n):",
        "    # YOUR CODE HERE",
        "    raise NotImplementedError()",
        "```",
    ]
    assert answer.source == "def f(n):\n    return 41 + n"
    assert "hide-cell" in answer.metadata.tags
    check, asked, measured = cells[6:9]
    assert (check.source, check.outputs) == ("check(f)", [])
    assert asked.source.startswith("**Write down your guess")
    assert measured.outputs[0].text == "forty-two\n"
    assert "hide-cell" in measured.metadata.tags
    assert len(cells) == 10


def test_slider_becomes_a_sentence_that_points_at_its_figure(tmp_path):
    cells = site.page(small(), learner_copy(small()), SMALL, tmp_path / "figures").cells
    assert cells[1].cell_type == "markdown"
    assert "the figure below shows the same" in cells[1].source
    slider, figure = small().cells[1:3]
    assert "the figure above shows" in site.slider_sentence([figure, slider], 1)
    assert site.slider_sentence([slider], 0) == site.LONE_SLIDER


def test_each_figure_has_its_own_description(tmp_path):
    outputs = (
        site.page(small(), learner_copy(small()), SMALL, tmp_path / "figures").cells[2].outputs
    )
    first, second = (output.data["text/html"] for output in outputs)
    assert 'alt="A line &lt;rising&gt; &amp; &quot;straight&quot;."' in first
    assert 'alt="Another line."' in second
    assert 'width="200" height="100"' in first
    assert len(list((tmp_path / "figures").iterdir())) == 2


def test_figure_without_a_description_is_refused(tmp_path):
    notebook = new_notebook(cells=[new_markdown_cell("# x"), picture(" ")])
    with pytest.raises(ValueError, match="00_x-1-0: the figure has no alt text"):
        site.page(notebook, notebook, "00_x", tmp_path / "figures")


def test_notebook_itself_stays_as_it_was(tmp_path):
    notebook = small()
    before = nbformat.writes(notebook)
    site.page(notebook, notebook, SMALL, tmp_path / "figures")
    assert nbformat.writes(notebook) == before


def test_front_page_is_the_first_pages_prose(tmp_path):
    assert site.front(tmp_path / "index.ipynb") == [site.TITLE]
    cells = ["# A course", "## Where you are", "## Map\n\n[00](00_rnn_refresher.ipynb)"]
    nbformat.write(
        new_notebook(cells=[new_markdown_cell(cell) for cell in cells]), tmp_path / "index.ipynb"
    )
    assert site.front(tmp_path / "index.ipynb") == [cells[0], cells[2]]


# --- The whole site: the course's notebooks and the small one


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, int]]:
    """The folder of pages, and how many formulas each page's source has."""
    pytest.importorskip("sphinx", reason='needs pip install -e ".[site]"')
    folder = tmp_path_factory.mktemp("notebooks")
    shutil.copytree(NOTEBOOKS, folder, dirs_exist_ok=True)
    nbformat.write(learner_copy(small()), folder / f"{SMALL}.ipynb")
    nbformat.write(small(), folder / "solutions" / f"{SMALL}.ipynb")
    pages = tmp_path_factory.mktemp("site") / "pages"
    names = site.build(folder, pages)
    return pages, {name: reading.formulas(reading.read(folder / f"{name}.ipynb")) for name in names}


@pytest.fixture(scope="module")
def chromium() -> Any:
    with browser() as opened:
        yield opened


def test_no_page_has_a_fault(built, chromium):
    pages, formulas = built
    names = sorted(page.name for page in pages.glob("*.html"))
    assert {"index.html", "search.html", f"{SMALL}.html"} <= set(names)
    assert len(names) == len(formulas) + 2
    assert sum(formulas.values()) > 100
    faults = [
        fault
        for name in names
        for fault in page_faults(chromium, pages, name, formulas.get(Path(name).stem, 0))
    ]
    assert faults == []


def test_table_that_a_cell_made_is_set_and_its_links_lead_to_pages(built, chromium):
    reader = Reader(chromium, built[0])
    reader.open(f"{SMALL}.html")
    assert reader.tab.locator("table td", has_text="a cell").count() == 1
    assert reader.tab.locator('table a[href="00_rnn_refresher.html"]').count() == 1
    assert reader.close() == []


def test_answers_unfold_with_the_keyboard(built, chromium):
    reader = Reader(chromium, built[0])
    reader.open(f"{SMALL}.html")
    code = reader.tab.get_by_text("41", exact=True)
    words = reader.tab.get_by_text("forty-two")
    for summary, answer in (("Show one solution", code), ("Show what was measured", words)):
        assert not answer.is_visible()
        reader.tab.locator("summary", has_text=summary).press("Enter")
        assert answer.is_visible()
    assert reader.tab.get_by_text("NotImplementedError").is_visible()
    assert reader.close() == []


def test_search_finds_a_word(built, chromium):
    reader = Reader(chromium, built[0])
    reader.open("search.html?q=jacobian")
    reader.tab.locator("#search-results li a").first.wait_for()
    assert reader.tab.locator('#search-results a[href^="0"]').count() > 0
    assert reader.close() == []


def test_planted_faults_are_found(built, chromium):
    pages, _ = built
    planted = {
        '<img src="https://example.org/a.png" alt="x">': "request to outside: https://example.org",
        f'<img src="_static/figures/{SMALL}-2-0.png">': "image without alt text: ",
        '<img src="_static/none.png" alt="x">': "image not shown: ",
        "<p>with $x^2$ in it</p>": "formula left raw: $x^2$",
        '<p class="mathjax_ignore">\\(y^2\\)</p>': "formula left raw: \\(y^2",
        "<p>a **bold** word</p>": "markup left raw: **bold**",
        "<p>| a | b | |---|---| | 1 | 2 |</p>": "markup left raw: |---|",
        "<p>see [there](99_small.ipynb)</p>": "markup left raw: ](99_small.ipynb)",
        '<a href="none.html">there</a>': "link to nowhere: none.html",
        '<span class="math">z</span>': "formula not rendered: z",
        '<span class="math">\\(\\frac\\)</span>': "formula in error: Missing argument for \\frac",
        '<span class="math">\\(\\nosuch\\)</span>': "formula in error: \\nosuch",
        '<script>console.error("planted")</script>': "console error: planted",
        '<script>throw new Error("thrown")</script>': "script error: thrown",
        "<h6>Deep</h6>": "heading skips a level: Deep",
        "<h1>Again</h1>": "not one h1",
        "<button></button>": "control without a name",
    }
    page = (pages / f"{SMALL}.html").read_text(encoding="utf-8")
    page = page.replace("</article>", "".join(planted) + "</article>", 1)
    page = page.replace('lang="en"', "", 1).replace("skip-to-content", "hidden", 1)
    page = page.replace('href="#furo-main-content"', 'href="#nowhere"')
    page = page.replace("</head>", "<style>body { background: #fff !important }</style></head>")
    (pages / "planted.html").write_text(page, encoding="utf-8")
    try:
        faults = page_faults(chromium, pages, "planted.html", 1000)
    finally:
        (pages / "planted.html").unlink()
    more = ("no lang", "does not reach a skip link", "formulas shown of 1000", "brightness 1.00")
    for expected in (*planted.values(), *more):
        assert any(expected in fault for fault in faults), (expected, faults)


@pytest.mark.slow
def test_what_sphinx_warns_of_stops_the_build(tmp_path):
    pytest.importorskip("sphinx", reason='needs pip install -e ".[site]"')
    notebook = new_notebook(cells=[new_markdown_cell("# x\n\nSee [there](nowhere.ipynb).")])
    nbformat.write(notebook, tmp_path / "00_x.ipynb")
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("the last one")
    with pytest.raises(site.SiteFailed, match=r"00_x\.ipynb.*nowhere"):
        site.build(tmp_path, tmp_path / "site")
    assert (tmp_path / "site" / "index.html").read_text() == "the last one"
