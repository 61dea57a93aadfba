"""The lecture's claims with their verdicts, read from data/claims.csv, and shown as tables.

A row: id; source, the notes it is in; said_by, Ng's lecture or which other note; the claim;
verdict; what we say of it; what was measured, as the cell prints it; the notebook and the cell.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

PATH = Path(__file__).resolve().parents[1] / "data" / "claims.csv"
COLOURS = {  # seen on a light page and on a dark one, and white is read on each
    "holds": "#1a7f37",
    "caveat": "#9a6000",
    "false": "#c8322a",
    "question": "#1a6fc4",
    "not measured": "#6b7075",
}


@dataclass(frozen=True)
class Claim:
    """One statement of the notes, and what became of it."""

    id: str
    source: str
    said_by: str
    claim: str
    verdict: str
    say: str
    measured: str
    notebook: str
    cell: str


@dataclass(frozen=True)
class Table:
    """A table for a notebook, in HTML, with the same words as plain text underneath."""

    html: str
    plain: str

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self.html, "text/plain": self.plain}


def load_claims() -> tuple[Claim, ...]:
    """Return every claim, in the file's order; tests hold the file itself right."""
    with PATH.open(encoding="utf-8", newline="") as file:
        return tuple(Claim(**row) for row in csv.DictReader(file))


def tally(claims: Sequence[Claim]) -> str:
    """Return how many claims have each verdict, and how many of them are Ng's, a line each."""
    every = Counter(claim.verdict for claim in claims)
    ng = Counter(claim.verdict for claim in claims if claim.said_by == "Ng's lecture")
    lines = [f"{name:13} {every[name]:3}   of them Ng's {ng[name]:3}" for name in COLOURS]
    total = f"{'together':13} {len(claims):3}   of them Ng's {sum(ng.values()):3}"
    return "\n".join((*lines, total))


def fact_check(claims: Sequence[Claim], caption: str) -> Table:
    """Return claims as a table: who says what, the verdict, what we say and what was measured."""
    titles = ("id", "claim", "verdict", "what we say", "measured", "cell")
    head = "".join(f'<th scope="col">{title}</th>' for title in titles)
    badge = "color: #ffffff; padding: 0 6px; border-radius: 3px; white-space: nowrap"
    rows = "".join(
        f'<tr id="{c.id}"><td>{c.id}</td><td>{escape(c.claim)} <small>({escape(c.said_by)})</small>'
        f'</td><td><span style="background-color: {COLOURS[c.verdict]}; {badge}">{c.verdict}</span>'
        f"</td><td>{escape(c.say) or '–'}</td><td><code>{escape(c.measured) or '–'}</code></td>"
        f"<td>{c.notebook} <code>{c.cell}</code></td></tr>"
        for c in claims
    )
    html = (
        f"<table><caption><b>{escape(caption)}</b></caption><thead><tr>{head}</tr></thead>"
        f'<tbody style="text-align: left">{rows}</tbody></table>'
    )
    plain = "\n".join(
        f"{c.id} {c.verdict}: {c.claim} ({c.said_by}). We say: {c.say or '-'} "
        f"Measured: {c.measured or '-'} (notebook {c.notebook}, cell {c.cell})"
        for c in claims
    )
    return Table(html, f"{caption}\n{plain}")
