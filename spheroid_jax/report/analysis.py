"""The page of a plate's analysis: answers, warnings, figures, tables, and a methods paragraph.

The page is one file that opens without a network and without a script.
"""

from collections.abc import Sequence
from typing import NamedTuple

from spheroid_jax.report import page


class Figure(NamedTuple):
    """A picture with its caption; `svg` holds the bytes of an SVG file."""

    caption: str
    svg: bytes
    wide: bool = False


class Table(NamedTuple):
    """A table of texts; `note` says that the last column is prose."""

    caption: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: bool = False


class Section(NamedTuple):
    """A part of the page."""

    title: str
    text: str = ""
    figures: Sequence[Figure] = ()
    tables: Sequence[Table] = ()


def render(
    *,
    title: str,
    subtitle: str,
    answers: Sequence[str],
    warnings: Sequence[str],
    sections: Sequence[Section],
    methods: str,
) -> bytes:
    """Makes the page.

    Args:
      title: heading of the page.
      subtitle: what was analysed, in one line.
      answers: one sentence per drug, the first thing to read.
      warnings: what was left out, guessed, or speaks against an answer.
      sections: figures and tables.
      methods: paragraph for a paper.

    Returns:
      The bytes of an HTML file.
    """
    html = (
        page.templates()
        .get_template("analysis.html")
        .render(
            title=title,
            subtitle=subtitle,
            answers=answers,
            warnings=warnings,
            sections=sections,
            methods=methods,
        )
    )
    return html.encode("utf-8", "replace")
