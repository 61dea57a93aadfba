"""The reading edition: the worked notebooks as web pages that ask nothing of the network.

From the command line: python -m tools.site. Sphinx and myst-nb set the pages; no cell runs, only
the sliders' pictures are drawn.
"""

from __future__ import annotations

import argparse
import copy
import importlib.util
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from helpers.claims import COLOURS, Claim, load_claims
from helpers.figures import SLIDERS, frames
from helpers.figures.picture import DPI, PAPER, SHOWN
from tools import reading
from tools.build import NOTEBOOKS

SITE = NOTEBOOKS.parent / "build" / "site"
SETTINGS = Path(__file__).parent / "pages"  # conf.py, style sheet, script, templates
SOME: dict[str, dict[str, Any]] = {  # of a slider's values, where all would take long to draw
    "phase": {"steps": (10, 100, 1000)}
}
SIGNS = {"holds": "✓", "caveat": "!", "false": "✗", "question": "?", "not measured": "–"}
HERO = "_static/figures/hero.png"
TASK = "```python\n{}\n```"
TITLE = "# Vanishing and exploding gradients"
QUESTION = "**The question.**"
ONLY_IN_LAB = "**How to use it.**"
SHARED = (1200, 630)  # pixels of the picture that a shared link shows
CONTENTS = """
## Reading edition

Each page is a notebook with the outputs of its last run. Answers to guesses and exercises are
folded away: open them after your own. The sliders move here as well. To run a notebook, take the
whole course: it needs the folder `helpers`.

```{{toctree}}
:hidden:

{}
```
"""


class SiteFailed(RuntimeError):
    """Pages that could not be set; the message says what was in the way."""


def page(notebook: NotebookNode, learners: NotebookNode, name: str, static: Path) -> NotebookNode:
    """A notebook as the page of that name shows it; its figures are written below static.

    learners: the learner's copy, whose stubs stand above the folded answers. Answers to guesses
    fold too. Sliders move through drawn frames, the ledger's tables become cards; the author's
    results and progress are left out.
    Raises ValueError if a figure has no description.
    """
    claims = load_claims()
    cited = {claim.cell for claim in claims if name.startswith(f"{claim.notebook}_")}
    cells: list[NotebookNode] = []
    for position, cell in enumerate(notebook.cells):
        if reading.is_progress(cell) or reading.is_guess(cell):
            continue
        if reading.is_ledger(cell):
            if not any(map(reading.is_ledger, cells)):
                tags = {"tags": ["remove-input"]}
                made = [_html(ledger(claims))]
                cells.append(new_code_cell(cell.source, metadata=tags, outputs=made))
            continue
        shown = copy.deepcopy(cell)
        shown.source = reading.solved(cell.source)
        if cell.id in cited:
            cells.append(new_markdown_cell(f'<div id="cell-{cell.id}"></div>'))
        if reading.is_slider(cell):
            shown.outputs = [_html(slider(reading.slider_of(cell), static))]
        elif reading.is_check(cell):
            shown.outputs = []
        elif reading.is_solution(cell) and cell.source != learners.cells[position].source:
            cells.append(new_markdown_cell(TASK.format(learners.cells[position].source)))
            _fold(shown, "one solution", "the solution")
        elif reading.is_answer(cell):
            what = "the picture" if all(map(reading.drawn, cell.outputs)) else "what was measured"
            _fold(shown, what, what)
        for count, output in enumerate(shown.get("outputs", [])):
            if reading.drawn(output):
                path = static / "figures" / f"{name}-{position}-{count}.png"
                address = f"_static/figures/{path.name}"
                shown.outputs[count] = _html(reading.figure(output, path, address))
        cells.append(shown)
    return nbformat.v4.new_notebook(cells=cells, metadata=notebook.metadata)


def slider(name: str, static: Path) -> str:
    """A slider of the notebooks as HTML for a page without a kernel; its frames go below static."""
    only = SOME.get(name, {})
    choices = SLIDERS[name].choices
    values = {each: [*only.get(each, known)] for each, (known, _) in choices.items()}
    drawn = frames(name, **only)
    start = {each: first for each, (_, first) in choices.items()}
    folder = static / "frames"
    folder.mkdir(parents=True, exist_ok=True)
    for place, frame in enumerate(drawn):
        (folder / f"{name}-{place}.png").write_bytes(frame.png)
    shown = next(place for place, frame in enumerate(drawn) if frame.values == start)
    across, down = reading.extent(drawn[shown].png)
    return reading.filled(
        SETTINGS / "pieces" / "slider.html",
        name=name,
        ranges=[
            (each, [f"{v:g}" for v in of], of.index(start[each])) for each, of in values.items()
        ],
        captions=[frame.caption for frame in drawn],
        shown=shown,
        width=across * SHOWN // DPI,
        height=down * SHOWN // DPI,
    )


def ledger(claims: tuple[Claim, ...]) -> str:
    """The claims as cards with a filter by verdict and by who says so, in HTML."""
    pages = {path.stem[:2]: f"{path.stem}.html" for path in NOTEBOOKS.glob("[0-9]*.ipynb")}
    return reading.filled(
        SETTINGS / "pieces" / "ledger.html",
        claims=claims,
        pages=pages,
        colours=COLOURS,
        signs=SIGNS,
        filters={
            "verdict": Counter(claim.verdict for claim in claims),
            "said by": Counter(claim.said_by for claim in claims),
        },
    )


def _html(page: str) -> NotebookNode:
    return new_output("display_data", {"text/html": page})


def _fold(cell: NotebookNode, closed: str, opened: str) -> None:
    """Fold a code cell and its outputs away, in place, under words for closed and opened."""
    cell.metadata["tags"] = [*cell.metadata.get("tags", []), "hide-cell"]
    cell.metadata["mystnb"] = {
        "code_prompt_show": f"Show {closed}",
        "code_prompt_hide": f"Hide {opened}",
    }


def lay_out(folder: Path, source: Path, address: str = "") -> list[str]:
    """Write into source all that Sphinx needs; returns the names of the pages.

    folder: the notebooks'. address: where the pages will stand, for those who share a link.
    """
    shutil.copytree(SETTINGS, source)
    static = source / "_static"
    reading.copy_mathjax(static / "mathjax")
    names = []
    for path in reading.sources(folder):
        names.append(path.stem)
        notebook, learners = reading.read(path), reading.read(folder / path.name)
        shown = page(notebook, learners, path.stem, static)
        shown.cells.insert(1, new_markdown_cell(downloads(path, folder, static)))
        _describe(shown, address)
        nbformat.write(shown, source / path.name)
    title, *prose = front(folder / reading.INDEX)
    first = reading.first_figure(folder)
    figures = [reading.figure(first, static / "figures" / "hero.png", HERO)] if first else []
    share(static / "figures" / "hero.png", static / "share.png")
    index = "\n\n".join((title, *figures, *prose, CONTENTS.format("\n".join(names))))
    shown = nbformat.v4.new_notebook(cells=[new_markdown_cell(index)])
    _describe(shown, address)
    nbformat.write(shown, source / reading.INDEX)
    return names


def downloads(path: Path, folder: Path, static: Path) -> str:
    """Links to a notebook and, where it is another file, to its worked copy, put below static."""
    links = []
    for label, copied in (("the notebook", folder / path.name), ("its worked copy", path)):
        target = static / "notebooks" / copied.relative_to(folder)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(copied, target)
            address = f"_static/notebooks/{copied.relative_to(folder).as_posix()}"
            links.append(f'<a href="{address}" download>{label}</a>')
    return f'<p class="downloads">Download {" or ".join(links)}.</p>'


def _describe(notebook: NotebookNode, address: str) -> None:
    """Give a page, in place, its description and what a shared link shows of it."""
    title, *prose = notebook.cells[0].source.split("\n\n")
    asked = [text for text in prose if text.startswith(QUESTION)]
    asked = asked or [text for text in prose if text[:1] not in "<["][:1]
    words = re.sub(r"\[([^]]*)\]\([^)]*\)|[*`$#]", r"\1", " ".join(asked)).split()
    description = " ".join(words).removeprefix("The question. ")
    found = {
        "description": description,
        "property=og:title": title.strip("# "),
        "property=og:description": description,
        "property=og:type": "article",
        "property=og:image": f"{address}/_static/share.png".lstrip("/"),
        "property=og:image:alt": "A sentence, its ink fading where little of the gradient arrives",
        "name=twitter:card": "summary_large_image",
    }
    notebook.metadata["myst"] = {"html_meta": found}


def share(drawn: Path, path: Path) -> None:
    """Write a picture, whole, onto a card of the size that shared links show."""
    from PIL import Image, ImageOps

    blank = Image.new("RGB", SHARED, PAPER)
    picture = Image.open(drawn).convert("RGB") if drawn.exists() else blank
    ImageOps.pad(picture, SHARED, color=PAPER).save(path)


def front(path: Path) -> list[str]:
    """The prose of the notebooks' first page that makes sense without a kernel."""
    if not path.exists():
        return [TITLE]
    prose = [cell.source for cell in reading.read(path).cells if cell.cell_type == "markdown"]
    shown = [source for source in prose if source.startswith("# ") or "](00_" in source]
    paragraphs = (text for source in shown for text in source.split("\n\n"))
    return [text for text in paragraphs if not text.startswith(ONLY_IN_LAB)]


def build(folder: Path, target: Path, address: str = "") -> list[str]:
    """Set the pages of the notebooks in a folder into target; returns their names.

    Raises SiteFailed if Sphinx is missing or warns of anything; target then stays as it was.
    """
    if not all(map(importlib.util.find_spec, ("sphinx", "myst_nb", "furo"))):
        raise SiteFailed('The pages need more packages: pip install -e ".[site]"')
    with reading.beside(target) as temporary:
        source, pages = Path(temporary, "source"), Path(temporary, "pages")
        names = lay_out(folder, source, address)
        command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-E"]
        command += ["-d", *map(str, (Path(temporary, "doctrees"), source, pages))]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise SiteFailed(done.stderr.replace(f"{source}/", "") + done.stdout)
        reading.put(pages, target)
    return names


def main(arguments: list[str] | None = None) -> int:
    """Set the course's reading edition; returns the exit status."""
    parser = argparse.ArgumentParser(prog="site", description="Set the reading edition.")
    parser.add_argument("--address", default="", help="where it will stand: https://...")
    asked = parser.parse_args(arguments)
    try:
        names = build(NOTEBOOKS, SITE, asked.address)
    except (SiteFailed, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(reading.unwritable(SITE, error), file=sys.stderr)
        return 1
    print(f"{len(names)} notebooks; open {SITE / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
