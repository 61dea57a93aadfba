"""The lecture's claims with their verdicts, read from data/claims.csv, and shown as tables.

A row: id; source, the notes it stands in; the claim; verdict; what to say about it; what was
measured; the notebook and the cell that show it; and the test that asserts it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from helpers.validation import choice

PATH = Path(__file__).resolve().parents[1] / "data" / "claims.csv"
VERDICTS = ("holds", "caveat", "false")
NOTEBOOKS = {
    "00": "00_rnn_refresher",
    "01": "01_long_dependencies",
    "02": "02_unrolled_depth",
    "03": "03_exploding_gradients",
    "04": "04_gradient_clipping",
    "05": "05_gru_preview",
    "06": "06_recap",
}


class ClaimsError(ValueError):
    """A row that cannot be used; the message names file, line and reason."""


@dataclass(frozen=True)
class Claim:
    """One sentence of the lecture, and what became of it."""

    id: str
    source: str
    claim: str
    verdict: str
    say: str
    measured: str
    notebook: str
    cell: str
    test: str


COLUMNS = tuple(field.name for field in fields(Claim))


@dataclass(frozen=True)
class Table:
    """A table for a notebook, in Markdown, with the same words as plain text."""

    markdown: str
    plain: str

    def show(self) -> None:
        """Display the table."""
        from IPython.display import display

        display({"text/markdown": self.markdown, "text/plain": self.plain}, raw=True)


def load_claims(path: Path = PATH) -> tuple[Claim, ...]:
    """Every claim, in the file's order.

    Raises ClaimsError naming file, line and reason if the file is missing, a column is, an
    id is not C and two digits or comes twice, a verdict is unknown, or a field is empty
    that must not be (say may be, where a claim simply holds).
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file)
            header = tuple(next(reader, ()))
            rows = [(reader.line_num, row) for row in reader]
    except OSError as error:
        raise ClaimsError(f"{path.name}: {error.strerror}") from error
    if header != COLUMNS:
        raise ClaimsError(f"{path.name}, line 1: the columns must be {', '.join(COLUMNS)}")
    claims: dict[str, Claim] = {}
    for line, row in rows:
        try:
            claim = _claim(row)
            if claim.id in claims:
                raise ValueError(f"id {claim.id} comes twice")
        except ValueError as error:
            raise ClaimsError(f"{path.name}, line {line}: {error}") from error
        claims[claim.id] = claim
    return tuple(claims.values())


def _claim(row: Sequence[str]) -> Claim:
    if len(row) != len(COLUMNS):
        raise ValueError(f"{len(row)} fields, {len(COLUMNS)} expected")
    claim = Claim(*row)
    if not re.fullmatch(r"C\d\d", claim.id):
        raise ValueError(f"id must be C and two digits; got {claim.id!r}")
    choice("verdict", claim.verdict, VERDICTS)
    choice("notebook", claim.notebook, NOTEBOOKS)
    for name in COLUMNS:
        if not getattr(claim, name).strip() and not (name == "say" and claim.verdict == "holds"):
            raise ValueError(f"{name} is empty")
    return claim


def fact_check(claims: Sequence[Claim], caption: str) -> Table:
    """Claims as a table: claim, notes, verdict, what we say and measured, where to see it."""
    head = "| | the lecture says | notes | verdict | we say | we measured | cell |"
    rows = [
        f"| {c.id} | {_escaped(c.claim)} | {c.source.replace(';', ', ')} | **{c.verdict}** "
        f"| {_escaped(c.say) or '–'} | {_escaped(c.measured)} "
        f"| [{c.notebook}]({NOTEBOOKS[c.notebook]}.ipynb) `{c.cell}` |"
        for c in claims
    ]
    markdown = "\n".join([f"**{caption}**", "", head, "|---" * 7 + "|", *rows])
    plain = "\n".join(
        f"{c.id} {c.verdict}: {c.claim}. We say: {c.say or '-'}. Measured: {c.measured} "
        f"(notebook {c.notebook}, cell {c.cell})"
        for c in claims
    )
    return Table(markdown, f"{caption}\n{plain}")


def _escaped(words: str) -> str:
    """Words in which no character means anything to Markdown."""
    return re.sub(r"([\\`*_<>|~$\[\]])", r"\\\1", words)
