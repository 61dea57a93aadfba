"""Open pages in headless Chromium as a reader would, and say what is wrong with them."""

from __future__ import annotations

import functools
import re
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

INSIDE = ("data:", "blob:", "about:")
DESKTOP, PHONE = 1366, 390  # pixels across
LOOKS = (("light", DESKTOP), ("light", PHONE), ("dark", PHONE), ("dark", DESKTOP))

# Each question gives a list of strings: what is wrong on the page as it stands.
IMAGES = """() => [...document.images].filter(i => !(i.alt.trim() && i.complete && i.naturalWidth))
    .map(i => (i.alt.trim() ? "image not shown: " : "image without alt text: ") + i.src.slice(-80))
"""
FORMULAS = r"""() => {
    const faults = [...document.querySelectorAll(".math")]
        .filter(m => !m.querySelector("mjx-container"))
        .map(m => "formula not rendered: " + m.textContent.slice(0, 80));
    for (const broken of document.querySelectorAll("mjx-merror, mjx-mtext"))
        if (broken.dataset.mjxError || getComputedStyle(broken).color === "rgb(255, 0, 0)")
            faults.push("formula in error: "
                + (broken.dataset.mjxError || broken.closest("mjx-container").textContent));
    const prose = document.body.cloneNode(true);
    prose.querySelectorAll("pre, code, script, style, mjx-container").forEach(e => e.remove());
    const raw = prose.textContent.match(/\$[^$\n]{1,200}\$|\\[([][^\n]{0,60}|\\begin\{\w+\}/g);
    return [...new Set(faults.concat((raw || []).map(text => "formula left raw: " + text)))];
}"""
MARKUP = r"""() => {
    const prose = document.body.cloneNode(true);
    prose.querySelectorAll("pre, code, script, style, mjx-container").forEach(e => e.remove());
    const raw = prose.textContent.match(/\*\*\w[^*\n]{0,60}\*\*|\|-{3,}\||\]\([\w.#/]+\)/g);
    return [...new Set(raw || [])].map(text => "markup left raw: " + text);
}"""
LINKS = """() => [...document.querySelectorAll("a[href]")].map(a => a.href)"""
CONTAINERS = """() => document.querySelectorAll("mjx-container").length"""
STRUCTURE = """() => {
    const faults = document.documentElement.lang === "en" ? [] : ["no lang"];
    if (!document.title.trim()) faults.push("no title");
    const headings = [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")];
    const levels = headings.map(h => Number(h.tagName[1]));
    if (levels.filter(level => level === 1).length !== 1) faults.push("not one h1");
    levels.forEach((level, i) => {
        if (level > (i ? levels[i - 1] : 0) + 1)
            faults.push("heading skips a level: " + headings[i].textContent.slice(0, 60));
    });
    const controls = "a[href], button, input:not([type=hidden]), summary";
    for (const control of document.querySelectorAll(controls)) {
        const name = control.textContent + (control.ariaLabel || "") + (control.title || "")
            + [...control.labels || []].map(l => l.textContent).join("") + control.placeholder
            + [...control.querySelectorAll("img")].map(i => i.alt).join("");
        if (!name.replace("undefined", "").trim())
            faults.push("control without a name: " + control.outerHTML.slice(0, 80));
    }
    return faults;
}"""
SKIP_LINK = """() => {
    const link = document.activeElement, target = (link.getAttribute("href") || "").slice(1);
    return link.tagName === "A" && target && document.getElementById(target) ? []
        : ["the first Tab does not reach a skip link"];
}"""
UNFOLD = """() => document.querySelectorAll("details").forEach(each => { each.open = true; })"""
COLOURS_ONCE = """() => {  // axe takes long over each coloured piece of code: one of a kind will do
    const seen = new Set();
    for (const piece of document.querySelectorAll("pre span")) {
        const kind = piece.className + " in " + piece.closest("div").parentElement.className;
        if (seen.has(kind)) piece.replaceWith(piece.textContent);
        seen.add(kind);
    }
}"""
SETTLE = """async () => {  // what unfolds fades in, and is pale until then
    await new Promise(done => requestAnimationFrame(() => setTimeout(done, 50)));
    await Promise.allSettled(document.getAnimations().map(each => each.finished));
}"""
WIDE = """() => [document.documentElement, document.querySelector(".content")]
    .filter(e => e && e.scrollWidth > e.clientWidth + 1)
    .map(e => `page is ${e.scrollWidth} wide in ${e.clientWidth}`)
"""
CUT_OFF = """() => [...document.querySelectorAll("article pre")]
    .filter(e => e.scrollWidth > e.clientWidth + 1)
    .map(e => "code is cut off: " + e.textContent.slice(0, 60))
"""
TAB_STOPS = """() => [...document.querySelectorAll("mjx-container[tabindex]")]
    .filter(e => e.scrollWidth <= e.clientWidth)
    .map(e => "formula is a tab stop: " + e.parentElement.textContent.slice(0, 60))
"""
AXE = """async () => {
    const {violations} = await axe.run(document, {resultTypes: ["violations"], preload: false});
    return violations.flatMap(found => found.nodes
        .map(node => `${found.impact} ${found.id}: ${node.html.slice(0, 100)}`));
}"""
BRIGHTNESS = """() => {
    const parts = getComputedStyle(document.body).backgroundColor.match(/[0-9.]+/g).map(Number);
    return (parts[0] + parts[1] + parts[2]) / 765;
}"""
OVERFLOW = """() => {
    const slide = Reveal.getCurrentSlide(), {width, height} = Reveal.getConfig();
    const title = slide.querySelector("h1, h2, h3")?.textContent;
    return [[slide.scrollHeight, height, "high"], [slide.scrollWidth, width, "wide"]]
        .filter(([size, frame, _]) => size > frame + 8)
        .map(([size, frame, way]) => `slide "${title}" is ${size} ${way} in a frame of ${frame}`);
}"""

BARE = """() => {
    const slide = Reveal.getCurrentSlide();
    const shows = what => [...slide.querySelectorAll(what)].some(e => !e.closest("aside"));
    const title = slide.querySelector("h1, h2, h3")?.textContent;
    return shows("pre") && !shows("p, li, img, td") ? [`slide "${title}" is bare lines`] : [];
}"""


@functools.cache
def axe() -> str:
    """The script of axe-core, which finds what keeps people out; skips the test without it."""
    package = pytest.importorskip("axe_playwright_python", reason="axe-core is not installed")
    return resources.files(package).joinpath("axe.min.js").read_text(encoding="utf-8")


class Reader:
    """One tab on a folder of pages; faults gathers what goes wrong."""

    def __init__(self, chromium: Any, folder: Path) -> None:
        self.folder = folder.resolve()
        self.faults: list[str] = []
        self.context = chromium.new_context(viewport={"width": 1000, "height": 760})
        self.tab = self.context.new_page()
        self.tab.set_default_timeout(20_000)
        self.tab.on("console", self._console)
        self.tab.on("pageerror", lambda error: self.faults.append(f"script error: {error}"))
        self.tab.route("**/*", self._request)

    def _console(self, message: Any) -> None:
        if message.type == "error":
            self.faults.append(f"console error: {message.text}")

    def _request(self, route: Any) -> None:
        address = route.request.url
        if address.startswith((self.folder.as_uri() + "/", *INSIDE)):
            route.continue_()
        else:
            self.faults.append(f"request to outside: {address}")
            route.abort()

    def open(self, name: str) -> None:
        """Load a page (a query may follow its name), and wait for its formulas."""
        self.tab.goto(f"{self.folder.as_uri()}/{name}", wait_until="load")
        self.tab.evaluate("() => window.MathJax?.startup?.promise?.then(() => {})")
        self.tab.evaluate("() => document.fonts.ready.then(() => {})")

    def look(self, scheme: str, across: int) -> None:
        """Turn to a colour scheme and to a window so wide, and let the page settle in it."""
        self.tab.emulate_media(color_scheme=scheme)
        self.tab.set_viewport_size({"width": across, "height": 760})
        self.tab.evaluate(SETTLE)

    def ask(self, *questions: str) -> None:
        """Add what the page answers to each question to the faults."""
        for question in questions:
            self.faults += self.tab.evaluate(question)

    def follow_links(self) -> None:
        """Add the links to files, and to places on a page, that are not there to the faults."""
        start = self.folder.as_uri() + "/"
        for link in sorted(set(self.tab.evaluate(LINKS))):
            path, _, place = link.removeprefix(start).partition("#")
            file = self.folder / unquote(path.partition("?")[0])
            if not link.startswith(start):
                continue
            if not file.is_file():
                self.faults.append(f"link to nowhere: {unquote(path)}")
            elif place and unquote(place) not in places(file):
                self.faults.append(f"link to nowhere: {path}#{place}")

    def count_formulas(self) -> int:
        """How many formulas the page shows set."""
        return self.tab.evaluate(CONTAINERS)

    def close(self) -> list[str]:
        """Close the tab; returns the faults."""
        self.context.close()
        return self.faults


@functools.cache
def places(page: Path) -> set[str]:
    """The ids on a page."""
    return set(re.findall(r'\bid="([^"]+)"', page.read_text(encoding="utf-8")))


def page_faults(reader: Reader, name: str, formulas: int) -> list[str]:
    """What is wrong with a page, light and dark, on a desktop and on a phone.

    formulas: how many its source has.
    """
    reader.faults.clear()
    reader.look("light", DESKTOP)
    reader.open(name)
    reader.ask(IMAGES, FORMULAS, MARKUP, STRUCTURE, TAB_STOPS)
    reader.follow_links()
    reader.tab.keyboard.press("Tab")
    reader.ask(SKIP_LINK)
    if reader.count_formulas() < formulas:
        reader.faults.append(f"{reader.count_formulas()} formulas shown of {formulas}")
    reader.tab.evaluate(UNFOLD)
    reader.tab.evaluate(COLOURS_ONCE)
    reader.tab.evaluate(axe())
    faults = [f"{name}: {fault}" for fault in reader.faults]
    for scheme, across in LOOKS:
        reader.faults.clear()
        reader.look(scheme, across)
        bright = reader.tab.evaluate(BRIGHTNESS)
        if (bright > 0.5) != (scheme == "light"):
            reader.faults.append(f"brightness {bright:.2f} in the {scheme} scheme")
        reader.ask(WIDE, AXE, *[CUT_OFF] * (across == DESKTOP))
        faults += [f"{name}, {scheme}, {across} wide: {fault}" for fault in reader.faults]
    reader.faults.clear()
    return faults


def deck_faults(chromium: Any, folder: Path, name: str, formulas: int) -> tuple[int, list[str]]:
    """How many slides a deck has, and what is wrong with it; formulas: how many it should show."""
    reader = Reader(chromium, folder)
    reader.open(name)
    reader.tab.wait_for_function("() => Reveal.isReady()")
    reader.ask(IMAGES, FORMULAS, MARKUP, STRUCTURE)
    if reader.count_formulas() < formulas:
        reader.faults.append(f"{reader.count_formulas()} formulas shown of {formulas}")
    places = reader.tab.evaluate("() => Reveal.getSlides().map(s => Reveal.getIndices(s))")
    if not places:
        reader.faults.append("no slides")
    for place in places:
        reader.tab.evaluate("({h, v}) => Reveal.slide(h, v)", place)
        reader.ask(OVERFLOW, BARE)
    return len(places), [f"{name}: {fault}" for fault in reader.close()]
