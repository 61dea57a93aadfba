"""Slides made from the notebooks: reveal.js and MathJax lie beside them, so no network is needed.

From the command line: python -m tools.slides. A cell's slideshow.slide_type says where it
goes; without one, headings, guesses, figures and short results are shown, and the rest of the
prose and tables of numbers become the speaker's notes.
"""

from __future__ import annotations

import argparse
import html
import re
import shutil
import sys
from itertools import pairwise
from pathlib import Path

from nbformat import NotebookNode

from tools import reading
from tools.build import NOTEBOOKS

SLIDES = NOTEBOOKS.parent / "build" / "slides"
REVEAL_PARTS = (
    *("LICENSE", "dist/reveal.", "dist/reset.css", "dist/theme/white.css"),
    *("dist/theme/fonts/source-sans-pro/", "plugin/notes/notes.js"),
)
TEMPLATES = Path(__file__).parent / "decks"  # pages and style sheet
LINES, FIGURE_LINES = 18, 15  # on a slide; as high as a figure
FIGURE = 595  # a figure's height in CSS pixels on a slide of 700 with a heading
LINE, GAP = 28, 40  # a printed line's height, and what stands around a block of them
BESIDE = 2  # printed lines that may stand beside a figure
GUESS = "write down your guess"
NAVIGATION = "](index.ipynb)"
WHY = "*Why it matters"  # an exercise; the speaker tells it
SHAPED = re.compile(r"\$\$|\||- |```|\*\*\d")  # a formula, table, list or piece of code
DETAILS = re.compile(r"<details>.*?</details>", re.DOTALL)
HEADING = re.compile(r"^(#{1,6}) +(.+)$", re.MULTILINE)
EXERCISE = re.compile(r"#+ Exercise\b")
TYPES = ("slide", "subslide", "fragment", "-", "notes", "skip")
NOTES = '<aside class="notes">{}</aside>'


def slide_types(notebook: NotebookNode) -> list[str]:
    """Where each cell goes: one of TYPES for each.

    Raises ValueError naming the cell that asks for another.
    """
    types = []
    room, asked = 0.0, False
    for position, cell in enumerate(notebook.cells):
        kind = cell.metadata.get("slideshow", {}).get("slide_type") or _by_rule(cell, room)
        if kind not in TYPES:
            raise ValueError(f"cell {position}: slide_type {kind!r} is none of {', '.join(TYPES)}")
        if kind in ("slide", "subslide"):
            room, asked = LINES, GUESS in cell.source.lower()
        if kind not in ("notes", "skip"):
            room -= _lines(cell)
        if kind == "fragment" and ("checks.guess(" in cell.source or not asked):
            room = 0  # the slide has its result
        if reading.is_check(cell):
            room = 0  # what follows an exercise is not its answer
        types.append(kind)
    return types


def _by_rule(cell: NotebookNode, room: float) -> str:
    """Where a cell goes that does not say so itself; room: lines left on the slide before it.

    A figure has a slide of its own. What is only printed appears below what asks for it: one
    result, where it fits. More is the speaker's to tell.
    """
    hidden = (reading.is_slider, reading.is_solution, reading.is_check, reading.is_progress)
    if any(test(cell) for test in hidden):
        return "skip"
    if cell.cell_type == "markdown":
        heading = HEADING.search(cell.source)
        if heading:
            return "slide" if len(heading[1]) < 3 else "subslide"
        return "subslide" if GUESS in cell.source.lower() else "notes"
    if not any(map(_shows, cell.outputs)):
        return "skip"
    if any(reading.drawn(output) for output in cell.outputs):
        return "subslide"
    return "fragment" if _lines(cell) <= room else "notes"


def message(source: str) -> tuple[str, str]:
    """A prose cell's one message for the slide, and the rest for the speaker.

    The message is the heading with the guess that is asked, or with the first paragraph, and
    with every formula, table and list and the line that leads to it. Of an exercise it is all
    but why it matters. Hints, links to other pages and what comes before the heading are left out.
    """
    blocks = [b for b in DETAILS.sub("", source).split("\n\n") if b.strip() and NAVIGATION not in b]
    first = next((i for i, block in enumerate(blocks) if HEADING.match(block)), 0)
    before, blocks = blocks[:first], blocks[first:]
    text = [block for block in blocks if not HEADING.match(block)]
    asked = [block for block in text if GUESS in block.lower()] or text[:1]
    if blocks and EXERCISE.match(blocks[0]):
        asked = [block for block in text if not block.startswith(WHY)]
    leading = [
        block
        for block, following in pairwise(text)
        if block.endswith((":", ",")) and SHAPED.match(following)
    ]
    shown = [b for b in blocks if b not in text or b in asked + leading or SHAPED.match(b)]
    return "\n\n".join(shown), "\n\n".join(b for b in before + blocks if b not in shown)


def _lines(cell: NotebookNode) -> float:
    """About how many lines a cell takes on a slide, formulas and figures included."""
    if cell.cell_type == "markdown":
        shown, _ = message(cell.source)
        formulas = shown.count("$$") // 2
        lines = (1 + len(line) // 68 if line else 0.5 for line in shown.splitlines())
        return 3 * formulas + sum(lines)
    drawn = any(reading.drawn(output) for output in cell.outputs)
    return FIGURE_LINES + BESIDE if drawn else _printed(cell)


def _printed(cell: NotebookNode) -> int:
    """About how many lines a code cell's printed results take."""
    texts = (reading.text_of(output) for output in cell.get("outputs", []))
    return sum(1 + len(line) // 80 for text in texts for line in text.splitlines())


def _shows(output: NotebookNode) -> bool:
    """Whether there is something to see in an output."""
    return bool(reading.drawn(output) or reading.text_of(output).strip())


def columns(notebook: NotebookNode, name: str, figures: Path) -> list[list[str]]:
    """The slides of a notebook as HTML, in columns: one to the right for each "slide".

    Figures are written into the folder. A slide without a heading repeats the last one, after
    an exercise's check its section's.
    Raises ValueError if a cell's slide_type is unknown or a figure has no description.
    """
    found: list[list[str]] = []
    section = heading = ""
    for position, (cell, kind) in enumerate(
        zip(notebook.cells, slide_types(notebook), strict=True)
    ):
        if reading.marks(cell).get("grade"):
            heading = section
        if kind == "skip":
            continue
        shown = _show(cell, kind, figures / f"{name}-{position}")
        own = HEADING.search(cell.source) if cell.cell_type == "markdown" else None
        if kind in ("slide", "subslide"):
            heading = own[2] if own else heading
            section = own[2] if own and len(own[1]) < 3 else section
            repeated = "" if own or not heading else _markdown(f"## {heading}")
            if kind == "slide" or not found:
                found.append([])
            found[-1].append(repeated + shown)
        elif found:
            wrap = {"fragment": '<div class="fragment">{}</div>', "notes": NOTES}.get(kind, "{}")
            found[-1][-1] += wrap.format(shown)
    return found


def _show(cell: NotebookNode, kind: str, stem: Path) -> str:
    """A cell as HTML: prose, or a code cell's outputs; its code only if there are none.

    Beside a figure stand no more than a few printed lines; more of them are the speaker's.
    """
    if cell.cell_type == "markdown" and kind == "notes":
        return _markdown(cell.source)
    if cell.cell_type == "markdown":
        shown, rest = message(cell.source)
        return _markdown(shown) + (NOTES.format(_markdown(rest)) if rest else "")
    parts = []
    drawn = sum(bool(reading.drawn(output)) for output in cell.get("outputs", []))
    printed = _printed(cell)
    told = NOTES if drawn and printed > BESIDE else "{}"
    beside = (LINE * printed + GAP) * (0 < printed <= BESIDE)
    height = (FIGURE - beside) // max(1, drawn)
    for count, output in enumerate(cell.get("outputs", [])):
        if reading.drawn(output):
            path = stem.with_name(f"{stem.name}-{count}.png")
            shown = reading.figure(output, path, f"{path.parent.name}/{path.name}")
            parts.append(f'<div style="--figure: {height}px">{shown}</div>')
        elif reading.text_of(output).strip():
            text = f'<pre class="output">{html.escape(reading.text_of(output))}</pre>'
            parts.append(told.format(text))
    return "\n".join(parts) or f"<pre><code>{html.escape(cell.source)}</code></pre>"


def _markdown(source: str) -> str:
    """Prose as HTML, formulas left as they are for MathJax."""
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    renderer = IPythonRenderer(escape=False, exclude_anchor_links=True)
    page = MarkdownWithMath(renderer=renderer).render(source)
    return re.sub(r"(<h[1-6]) id=\"[^\"]*\"", r"\1", page)  # a repeated heading would repeat it


def deck(notebook: NotebookNode, name: str, figures: Path) -> str:
    """The whole page of one notebook's slides."""
    found = columns(notebook, name, figures)
    return _filled("deck.html", title=html.escape(title(notebook)), columns=found)


def _filled(template: str, **values: object) -> str:
    """A page made from one of the templates."""
    from jinja2 import Template

    return Template((TEMPLATES / template).read_text(encoding="utf-8")).render(**values)


def title(notebook: NotebookNode) -> str:
    """The notebook's first heading."""
    heading = HEADING.search(notebook.cells[0].source)
    return heading[2].strip() if heading else "Slides"


def copy_reveal(folder: Path) -> None:
    """Copy into folder what a deck needs of reveal.js.

    Raises ValueError if the package that holds it is not installed.
    """
    reading.copy_parts("sphinx-revealjs", "/_static/revealjs/", REVEAL_PARTS, folder)


def build(folder: Path, target: Path) -> list[str]:
    """Make the decks of the notebooks in a folder, and a page that lists them, in target.

    Returns their names. Raises ValueError if one can't be made; target then stays as it was.
    """
    with reading.beside(target) as temporary:
        made = Path(temporary, "slides")
        copy_reveal(made / "reveal")
        reading.copy_mathjax(made / "mathjax")
        shutil.copy(TEMPLATES / "course.css", made)
        decks = {}
        for path in reading.sources(folder):
            notebook = reading.read(path)
            decks[path.stem] = title(notebook)
            page = deck(notebook, path.stem, made / "figures")
            (made / f"{path.stem}.html").write_text(page, encoding="utf-8")
        index = _filled("index.html", decks={n: html.escape(t) for n, t in decks.items()})
        (made / "index.html").write_text(index, encoding="utf-8")
        reading.put(made, target)
    return list(decks)


def main(arguments: list[str] | None = None) -> int:
    """Make the course's slides; returns the exit status."""
    argparse.ArgumentParser(prog="slides", description="Make the slides.").parse_args(arguments)
    try:
        names = build(NOTEBOOKS, SLIDES)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(reading.unwritable(SLIDES, error), file=sys.stderr)
        return 1
    print(f"{len(names)} decks; open {SLIDES / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
