"""The reading edition: the worked notebooks as web pages that ask nothing of the network.

From the command line: python -m tools.site. Sphinx and myst-nb set the pages; nothing runs.
"""

from __future__ import annotations

import argparse
import copy
import importlib.util
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_output

from tools import reading
from tools.build import NOTEBOOKS
from tools.learner import learner_copy

SITE = NOTEBOOKS.parent / "build" / "site"
SLIDER = "*In the notebook a slider stands here; the figure {} shows the same at one value.*"
LONE_SLIDER = "*In the notebook a slider stands here; it needs a kernel.*"
ANSWER = '<details class="solution">\n<summary>Show one answer</summary>\n\n{}\n\n</details>'
TASK = "```python\n{}\n```"
FRONT_END = """
## Reading edition

Each page is a notebook with the outputs of its last run. Answers to the exercises are folded
away: open them after your own. Where a notebook has a slider, a figure shows one value of it.

```{{toctree}}
:maxdepth: 1

{}
```
"""
SETTINGS = {
    "project": "Vanishing and exploding gradients",
    "language": "en",
    "extensions": ["myst_nb"],
    "html_theme": "furo",
    "html_title": "Vanishing and exploding gradients",
    "html_static_path": ["_static"],
    "html_css_files": ["course.css"],
    "html_copy_source": False,
    "html_show_sourcelink": False,
    "html_show_copyright": False,
    "html_show_sphinx": False,
    "html_show_search_summary": False,  # it would fetch pages, which a browser refuses to files
    "html_use_index": False,
    "templates_path": ["_templates"],
    "html_theme_options": {"top_of_page_buttons": [], "footer_icons": []},
    "pygments_style": "a11y-light",
    "pygments_dark_style": "a11y-dark",
    "myst_enable_extensions": ["amsmath", "dollarmath"],
    "mathjax_path": f"mathjax/{reading.MATHJAX_PARTS[0]}",
    "nb_execution_mode": "off",
    "nb_render_markdown_format": "myst",
    "nb_ipywidgets_js": {},
}
STYLE = """\
img.figure { max-width: 100%; height: auto; background: white; border-radius: 4px; }
mjx-container[display="true"] { overflow-x: auto; overflow-y: hidden; }
details.solution { border-left: 4px solid var(--color-brand-primary); padding-left: 1rem; }
summary { cursor: pointer; }
"""


SEARCH = """\
{% extends "!search.html" %}
{% block content %}
<h1>Search</h1>
{{ super() }}
{% endblock %}
"""


class SiteFailed(RuntimeError):
    """Pages that could not be set; the message says what was in the way."""


def page(notebook: NotebookNode, name: str, figures: Path) -> NotebookNode:
    """A notebook as the page of that name shows it; its figures are written into the folder.

    Answers are folded, below the task as the learner sees it. Sliders become a sentence.
    Raises ValueError if a figure has no description or an answer's marks do not fit.
    """
    cells: list[NotebookNode] = []
    tasks = learner_copy(notebook).cells
    for position, cell in enumerate(notebook.cells):
        if reading.is_slider(cell):
            cells.append(new_markdown_cell(slider_sentence(notebook.cells, position)))
            continue
        shown = copy.deepcopy(cell)
        shown.source = reading.solved(cell.source)
        if reading.is_solution(cell):
            if cell.cell_type == "code":
                cells.append(new_markdown_cell(TASK.format(tasks[position].source)))
            _fold(shown)
        for count, output in enumerate(shown.get("outputs", [])):
            if reading.drawn(output):
                shown.outputs[count] = _as_html(output, figures / f"{name}-{position}-{count}.png")
        cells.append(shown)
    return nbformat.v4.new_notebook(cells=cells, metadata=notebook.metadata)


def slider_sentence(cells: list[NotebookNode], position: int) -> str:
    """What a page says in place of the slider at a position: where its static figure stands."""
    distances = [
        (abs(other - position), "above" if other < position else "below")
        for other, cell in enumerate(cells)
        if any(reading.drawn(output) for output in cell.get("outputs", []))
    ]
    return SLIDER.format(min(distances)[1]) if distances else LONE_SLIDER


def _fold(cell: NotebookNode) -> None:
    """Fold an answer away, in place."""
    if cell.cell_type == "markdown":
        cell.source = ANSWER.format(cell.source)
        return
    cell.metadata["tags"] = [*cell.metadata.get("tags", []), "hide-cell"]
    cell.metadata["mystnb"] = {
        "code_prompt_show": "Show one solution",
        "code_prompt_hide": "Hide the solution",
    }


def _as_html(output: NotebookNode, path: Path) -> NotebookNode:
    """A figure's output with the figure in a file of its own."""
    address = f"_static/{path.parent.name}/{path.name}"
    return new_output("display_data", {"text/html": reading.figure(output, path, address)})


def lay_out(folder: Path, front: str, source: Path) -> list[str]:
    """Write into source all that Sphinx needs; returns the names of the pages.

    folder: the notebooks'. front: the first page's beginning, in Markdown.
    """
    static = source / "_static"
    static.mkdir(parents=True)
    (static / "course.css").write_text(STYLE, encoding="utf-8")
    (source / "_templates").mkdir()
    (source / "_templates" / "search.html").write_text(SEARCH, encoding="utf-8")
    reading.copy_mathjax(static / "mathjax")
    for picture in folder.glob("*.png"):
        shutil.copy(picture, source)
    names = []
    for path in reading.sources(folder):
        names.append(path.stem)
        shown = page(reading.read(path), path.stem, static / "figures")
        nbformat.write(shown, source / path.name)
    index = front.rstrip() + "\n" + FRONT_END.format("\n".join(names))
    (source / "index.md").write_text(index, encoding="utf-8")
    lines = (f"{name} = {value!r}\n" for name, value in SETTINGS.items())
    (source / "conf.py").write_text("".join(lines), encoding="utf-8")
    return names


def build(folder: Path, front: str, target: Path) -> list[str]:
    """Set the pages of the notebooks in a folder into target; returns their names.

    Raises SiteFailed if Sphinx is missing or warns of anything; target then stays as it was.
    """
    if not all(map(importlib.util.find_spec, ("sphinx", "myst_nb", "furo"))):
        raise SiteFailed('The pages need more packages: pip install -e ".[site]"')
    with tempfile.TemporaryDirectory() as temporary:
        source, pages = Path(temporary, "source"), Path(temporary, "pages")
        names = lay_out(folder, front, source)
        command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-E"]
        command += ["-d", Path(temporary, "doctrees"), source, pages]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise SiteFailed(done.stderr.replace(f"{source}/", "") + done.stdout)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(pages, target)
    return names


def front_page(readme: Path) -> str:
    """The README up to its second heading, its pictures taken from beside the page."""
    front, _, _ = readme.read_text(encoding="utf-8").partition("\n## ")
    return front.replace("](notebooks/", "](")


def main(arguments: list[str] | None = None) -> int:
    """Set the course's reading edition; returns the exit status."""
    argparse.ArgumentParser(prog="site", description="Set the reading edition.").parse_args(
        arguments
    )
    try:
        names = build(NOTEBOOKS, front_page(NOTEBOOKS.parent / "README.md"), SITE)
    except (SiteFailed, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{len(names)} notebooks; open {SITE / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
