"""tools.site: the reading edition, built and read in a headless browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from small_notebook import SMALL, picture, small
from walker import CUT_OFF, DESKTOP, PHONE, Reader, page_faults

from helpers.claims import load_claims
from helpers.figures import SLIDERS
from tools import reading, site
from tools.build import NOTEBOOKS
from tools.learner import learner_copy


@pytest.fixture(scope="module", autouse=True)
def _few_frames() -> Iterator[None]:
    """Of each slider draw three values at most, the first one shown among them."""
    few = {
        name: {each: sorted({*of[:2], start}) for each, (of, start) in slider.choices.items()}
        for name, slider in SLIDERS.items()
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(site, "SOME", few)
        yield


# --- One page


def test_solution_is_folded_below_the_task_and_the_notebook_stays_as_it_was(tmp_path):
    notebook = small()
    before = nbformat.writes(notebook)
    cells = site.page(notebook, learner_copy(notebook), SMALL, tmp_path).cells
    assert nbformat.writes(notebook) == before
    task, answer = cells[4], cells[5]
    stub = "def f(n):\n    # YOUR CODE HERE\n    raise NotImplementedError()"
    assert task.source == f"```python\n{stub}\n```"
    assert answer.source == "def f(n):\n    return 41 + n"
    assert "hide-cell" in answer.metadata.tags
    check, asked, measured = cells[6:9]
    assert (check.source, check.outputs) == ("check(f)", [])
    assert asked.source.startswith("**Write down your guess")
    assert measured.outputs[0].text == "forty-two\n"
    assert "hide-cell" in measured.metadata.tags
    assert len(cells) == 10


def test_slider_starts_where_the_notebooks_does_and_has_a_frame_for_each_value(tmp_path):
    html = site.slider("phase", tmp_path)
    assert html.count('type="range"') == 2
    assert 'max="2" value="2" data-labels="0.25 0.5 2"' in html
    assert 'src="_static/frames/phase-8.png"' in html
    assert len(list((tmp_path / "frames").iterdir())) == 9


def test_ledger_has_a_card_for_each_claim():
    claims = load_claims()
    html = site.ledger(claims)
    assert html.count("<li id=") == len(claims)
    for claim in claims[:3]:
        assert f'id="{claim.id}" data-verdict="{claim.verdict}"' in html
    holds = sum(claim.verdict == "holds" for claim in claims)
    assert f'<option value="holds">holds ({holds})</option>' in html


def test_each_figure_has_its_own_description(tmp_path):
    outputs = site.page(small(), learner_copy(small()), SMALL, tmp_path).cells[2].outputs
    first, second = (output.data["text/html"] for output in outputs)
    assert 'alt="A line &lt;rising&gt; &amp; &quot;straight&quot;."' in first
    assert 'alt="Another line."' in second
    assert 'width="200" height="100"' in first
    assert len(list((tmp_path / "figures").iterdir())) == 2


def test_front_page_is_the_first_pages_prose(tmp_path):
    assert site.front(tmp_path / "index.ipynb") == [site.TITLE]
    title, only_in_lab = "# A course", "**How to use it.** Run a cell."
    heading, link = "## Map", "[00](00_rnn_refresher.ipynb)"
    cells = [f"{title}\n\n{only_in_lab}", "## Where you are", f"{heading}\n\n{link}"]
    nbformat.write(
        new_notebook(cells=[new_markdown_cell(cell) for cell in cells]), tmp_path / "index.ipynb"
    )
    assert site.front(tmp_path / "index.ipynb") == [title, heading, link]


def test_shared_picture_has_the_size_that_is_asked_for(tmp_path):
    [output, _] = picture("A line.", "").outputs
    reading.figure(output, tmp_path / "a.png", "")
    for drawn in (tmp_path / "a.png", tmp_path / "none.png"):
        site.share(drawn, tmp_path / "share.png")
        assert reading.extent((tmp_path / "share.png").read_bytes()) == site.SHARED


def test_course_without_its_worked_copies_has_its_pages(tmp_path):
    nbformat.write(learner_copy(small()), tmp_path / f"{SMALL}.ipynb")
    assert site.lay_out(tmp_path, tmp_path / "source") == [SMALL]
    cells = reading.read(tmp_path / "source" / f"{SMALL}.ipynb").cells
    [task] = [cell for cell in cells if "raise NotImplementedError" in cell.source]
    assert "hide-cell" not in task.metadata.get("tags", [])
    assert "worked copy" not in cells[1].source


# --- The pages, built and read: a small course's, and all of them


Pages = tuple[Path, dict[str, int]]  # the folder, and how many formulas each page has


def set_pages(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Pages:
    """The folder of pages, and how many formulas each page's source has."""
    pytest.importorskip("sphinx", reason='needs pip install -e ".[site]"')
    pages = tmp_path_factory.mktemp("site") / "pages"
    names = site.build(folder, pages, "https://example.org/course")
    return pages, {name: reading.formulas(reading.read(folder / f"{name}.ipynb")) for name in names}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Pages:
    """A course of the small notebook and the one that it links to."""
    folder = tmp_path_factory.mktemp("notebooks")
    (folder / "solutions").mkdir()
    wide = new_code_cell(f"x = '{90 * 'x'}'")
    cells = [new_markdown_cell("# Another\n\nOf a jacobian."), wide]
    other = new_notebook(cells=cells, metadata=small().metadata)
    nbformat.write(other, folder / "00_rnn_refresher.ipynb")
    nbformat.write(learner_copy(small()), folder / f"{SMALL}.ipynb")
    nbformat.write(small(), folder / "solutions" / f"{SMALL}.ipynb")
    return set_pages(tmp_path_factory, folder)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Pages:
    """The course itself."""
    return set_pages(tmp_path_factory, NOTEBOOKS)


@pytest.fixture
def reader(built, chromium) -> Iterator[Reader]:
    """A tab on the small course's pages; what goes wrong in it fails the test."""
    opened = Reader(chromium, built[0])
    yield opened
    assert opened.close() == []


def faults_of(chromium: Any, pages: Path, formulas: dict[str, int]) -> list[str]:
    """What is wrong with the pages."""
    names = sorted(page.name for page in pages.glob("*.html"))
    assert names == sorted(["index.html", "search.html", *(f"{name}.html" for name in formulas)])
    walking = Reader(chromium, pages)
    return [
        fault
        for name in names
        for fault in page_faults(walking, name, formulas.get(Path(name).stem, 0))
    ] + walking.close()


def test_no_small_page_has_a_fault(built, chromium):
    assert faults_of(chromium, *built) == []


@pytest.mark.slow
def test_no_page_has_a_fault(whole, chromium):
    assert sum(whole[1].values()) > 100
    assert faults_of(chromium, *whole) == []


def test_table_that_a_cell_made_is_set_and_its_links_lead_to_pages(reader):
    reader.open(f"{SMALL}.html")
    assert reader.tab.locator("table td", has_text="a cell").count() == 1
    assert reader.tab.locator('table a[href="00_rnn_refresher.html"]').count() == 1


def test_answers_unfold_with_the_keyboard(reader):
    reader.open(f"{SMALL}.html")
    code = reader.tab.get_by_text("41", exact=True)
    words = reader.tab.get_by_text("forty-two")
    for summary, answer in (("Show one solution", code), ("Show what was measured", words)):
        assert not answer.is_visible()
        reader.tab.locator("summary", has_text=summary).press("Enter")
        assert answer.is_visible()
    assert reader.tab.get_by_text("NotImplementedError").is_visible()


def test_slider_moves_its_picture_while_it_is_dragged_and_nothing_else(reader):
    reader.look("light", DESKTOP)
    reader.open(f"{SMALL}.html")
    track, drawn = reader.tab.get_by_label("gap"), reader.tab.locator(".slider img")
    assert drawn.get_attribute("alt").startswith("Untrained RNN, gap 12.")
    track.scroll_into_view_if_needed()
    before = reader.tab.evaluate("[scrollY, document.body.scrollHeight]")
    track.press("ArrowLeft")
    assert drawn.get_attribute("alt").startswith("Untrained RNN, gap 4.")
    assert track.get_attribute("aria-valuetext").startswith("4. Untrained RNN, gap 4.")
    assert reader.tab.locator(".slider .value").inner_text() == "4"
    box = track.bounding_box()
    reader.tab.mouse.move(box["x"] + box["width"] / 2, box["y"] + 5)
    reader.tab.mouse.down()
    reader.tab.mouse.move(box["x"] + 2, box["y"] + 5)
    assert drawn.get_attribute("src") == "_static/frames/gap-0.png"
    reader.tab.mouse.up()
    assert reader.tab.evaluate("[scrollY, document.body.scrollHeight]") == before


def test_code_is_copied(reader):
    reader.context.grant_permissions(["clipboard-read", "clipboard-write"])
    reader.open(f"{SMALL}.html")
    button = reader.tab.get_by_role("button", name="Copy").first
    button.press("Enter")
    reader.tab.get_by_role("button", name="Copied").wait_for()
    assert reader.tab.evaluate("navigator.clipboard.readText()") == "figures.gap_slider()"


def test_notebook_and_its_worked_copy_can_be_downloaded(built, reader):
    reader.open(f"{SMALL}.html")
    links = reader.tab.locator(".downloads a").all()
    learners, worked = (reading.read(built[0] / link.get_attribute("href")) for link in links)
    assert not any("41 + n" in cell.source for cell in learners.cells)
    assert any("41 + n" in cell.source for cell in worked.cells)
    reader.open("00_rnn_refresher.html")
    assert reader.tab.locator(".downloads a").count() == 1


def test_shared_link_shows_words_and_a_picture(reader):
    reader.open("00_rnn_refresher.html")
    found = {
        meta.get_attribute("property") or meta.get_attribute("name"): meta.get_attribute("content")
        for meta in reader.tab.locator("meta[content]").all()
    }
    assert found["description"] == found["og:description"] == "Of a jacobian."
    assert found["og:title"] == "Another"
    assert found["og:image"] == "https://example.org/course/_static/share.png"


def test_what_is_too_wide_is_reached_by_the_keyboard_and_nothing_else(reader):
    reader.open("00_rnn_refresher.html")
    for across, reached in ((DESKTOP, 0), (PHONE, 1)):
        reader.look("light", across)
        assert reader.tab.locator("article pre[tabindex]").count() == reached


def test_print_leaves_out_what_paper_cannot_do_and_cuts_nothing_off(reader):
    reader.open("00_rnn_refresher.html")
    reader.tab.emulate_media(media="print")
    reader.tab.set_viewport_size({"width": PHONE, "height": 760})
    reader.ask(CUT_OFF)
    reader.open(f"{SMALL}.html")
    reader.tab.emulate_media(media="print")
    for left_out in (".skip-to-content", ".copy", ".downloads", ".slider input"):
        assert not reader.tab.locator(left_out).first.is_visible()
    assert reader.tab.locator(".slider img").is_visible()


@pytest.mark.slow
def test_ledger_is_filtered_with_the_keyboard(whole, chromium):
    reader = Reader(chromium, whole[0])
    reader.open("10_fact_check.html")
    cards, claims = reader.tab.locator(".claims li:visible"), load_claims()
    assert cards.count() == len(claims)
    reader.tab.get_by_label("verdict").press("h")
    holds = [claim for claim in claims if claim.verdict == "holds"]
    assert cards.count() == len(holds)
    reader.tab.get_by_label("said by").press("n")
    both = [claim for claim in holds if claim.said_by == "Ng's lecture"]
    assert cards.count() == len(both)
    status = f"{len(both)} of {len(claims)} statements"
    assert reader.tab.get_by_role("status").inner_text() == status
    cards.first.locator("a").click()
    reader.tab.wait_for_url(f"**/{both[0].notebook}_*#cell-{both[0].cell}")
    assert reader.close() == []


def test_search_finds_a_word(reader):
    reader.open("search.html?q=jacobian")
    reader.tab.locator("#search-results li a").first.wait_for()
    assert reader.tab.locator('#search-results a[href^="0"]').count() > 0


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
        '<a href="index.html#none">there</a>': "link to nowhere: index.html#none",
        '<p style="color: #999; background: #aaa">pale</p>': "serious color-contrast",
        '<p style="width: 900px">wide</p>': "390 wide: page is 9",
        "<pre>" + 130 * "x" + "</pre>": "code is cut off: xxx",
        '<p><mjx-container tabindex="0">f</mjx-container></p>': "formula is a tab stop: f",
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
        walking = Reader(chromium, pages)
        faults = page_faults(walking, "planted.html", 1000)
        walking.close()
    finally:
        (pages / "planted.html").unlink()
    more = ("no lang", "does not reach a skip link", "formulas shown of 1000", "brightness 1.00")
    for expected in (*planted.values(), *more):
        assert any(expected in fault for fault in faults), (expected, faults)


def test_what_sphinx_warns_of_stops_the_build(tmp_path):
    pytest.importorskip("sphinx", reason='needs pip install -e ".[site]"')
    notebook = new_notebook(cells=[new_markdown_cell("# x\n\nSee [there](nowhere.ipynb).")])
    nbformat.write(notebook, tmp_path / "00_x.ipynb")
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("the last one")
    with pytest.raises(site.SiteFailed, match=r"00_x\.ipynb.*nowhere"):
        site.build(tmp_path, tmp_path / "site")
    assert (tmp_path / "site" / "index.html").read_text() == "the last one"
