"""Tables of results as text, CSV, Markdown and LaTeX (paper, table 2).

A column whose cells have a spread reads "77.09 ± 6.89" under "maF ± std"; in
CSV it is two columns. NaN, of a fold that diverged, say, is a dash.
"""

import csv as comma_separated
import io
import itertools
import math
import pathlib
from collections.abc import Sequence
from typing import NamedTuple

from spheroid_jax.runtime import files

_DASH = "–"
_MARKDOWN = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_|<["})
_LATEX = str.maketrans(
    {sign: f"\\{sign}" for sign in "&%$#_{}"}
    | {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        "±": r"$\pm$",
        "×": r"$\times$",
        "λ": r"$\lambda$",
        _DASH: "--",
    }
)


class Cell(NamedTuple):
    """A number in the unit it is shown in: a score in percent."""

    value: float
    # Standard deviation in the same unit; None where there is none.
    spread: float | None = None
    best: bool = False
    digits: int = 2
    # Whether a positive value has a sign, as a change has.
    signed: bool = False


class Table(NamedTuple):
    """What all forms are made of; every row has a cell a heading.

    Where rows or groups do not fit the headings the forms raise ValueError.
    """

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str | Cell]]
    # (heading, number of columns), left to right over all columns; "" where
    # columns have no common heading.
    groups: Sequence[tuple[str, int]] = ()


def percent(value, spread=None):
    """A `Cell` of a share, and of its spread unless that is None or NaN."""
    if spread is None or math.isnan(spread):
        return Cell(100 * value)
    return Cell(100 * value, 100 * spread)


def mark_best(table, *, smaller=(), unmarked=()):
    """Marks the best value of each column, and those shown like it.

    Args:
      table: `Table`.
      smaller: headings of the columns whose smallest value is the best; of
        the others it is the largest.
      unmarked: headings of columns of which no value is the best.

    Returns:
      `Table`.
    """
    best = [
        (min if heading in smaller else max)(
            (cell.value for cell in column if _is_number(cell)), default=0
        )
        for heading, column in zip(table.headings, _columns(table), strict=True)
    ]
    marked = [heading not in unmarked for heading in table.headings]
    rows = [
        [
            cell._replace(best=_shown(cell) == _shown(cell, value=value))
            if mark and _is_number(cell)
            else cell
            for cell, value, mark in zip(row, best, marked, strict=True)
        ]
        for row in table.rows
    ]
    return table._replace(rows=rows)


def write(path, table):
    """Writes PATH.csv, PATH.md and PATH.tex."""
    path = pathlib.Path(path)
    forms = {"csv": csv, "md": markdown, "tex": latex}
    for suffix, form in forms.items():
        with files.replacing(path.with_name(f"{path.name}.{suffix}")) as file:
            file.write(form(table) + "\n" * (suffix != "csv"))


def text(cell):
    """A `Cell` as people read it: "77.09 ± 6.89", "77.09" or "–"."""
    return " ± ".join(filter(None, _pieces(cell)))


def terminal(table):
    """Writes aligned columns; the best of a column has a `*`.

    Args:
      table: `Table`.

    Returns:
      Lines for a fixed-width font, the last without a newline.
    """
    columns, spans = _columns(table), _spans(table)
    blocks = [
        _block(heading, column) for heading, column in zip(_headings(table), columns, strict=True)
    ]
    widths = [max(map(len, block)) for block in blocks]
    for heading, start, stop in spans:
        # A group's heading may need more room than its columns have.
        widths[start] += max(0, len(heading) - _width(widths[start:stop]))
    for n, width in enumerate(widths):
        adjust = str.rjust if _has_numbers(columns[n]) else str.ljust
        blocks[n] = [adjust(line, width) for line in blocks[n]]
    groups = [h.center(_width(widths[i:j])) for h, i, j in spans]
    rules = ["-" * width for width in widths]
    heading, *rows = zip(*blocks, strict=True)
    lines = ["  ".join(row) for row in (groups, heading, rules, *rows)]
    if any(isinstance(c, Cell) and c.best for row in table.rows for c in row):
        lines.append("* best")
    title = _line(table.title)
    lines = ([title, ""] if title else []) + (lines if groups else lines[1:])
    return "\n".join(line.rstrip() for line in lines)


def csv(table):
    r"""Writes numbers in full, a spread in the column after its value.

    Args:
      table: `Table`; the title and what is best are left out.

    Returns:
      Lines that end with "\r\n". A missing spread is empty, NaN is "NaN".
    """
    spreads = [_has_spread(column) for column in _columns(table)]
    file = io.StringIO()
    writer = comma_separated.writer(file)
    headings = (
        [name, f"{name} std"] if spread else [name]
        for name, spread in zip(_grouped(table), spreads, strict=True)
    )
    writer.writerow(itertools.chain.from_iterable(headings))
    for row in table.rows:
        fields = (_fields(cell, spread) for cell, spread in zip(row, spreads, strict=True))
        writer.writerow(itertools.chain.from_iterable(fields))
    return file.getvalue()


def markdown(table):
    """Writes a GitHub-flavoured table, the best in bold.

    Args:
      table: `Table`; a group's heading stands before those of its columns.

    Returns:
      The title as a paragraph, if any, and the table; the last line ends
      without a newline.
    """
    columns = _columns(table)
    names = _headings(table, _grouped(table))
    rules = ["---:" if _has_numbers(c) else ":---" for c in columns]
    rows = [[_formatted(cell, _markdown, "**{}**") for cell in row] for row in table.rows]
    lines = [
        f"| {' | '.join(row)} |" for row in ([_markdown(name) for name in names], rules, *rows)
    ]
    title = _markdown(table.title)
    return "\n".join(([title, ""] if title else []) + lines)


def latex(table):
    r"""Writes a `table` environment for booktabs, the best in bold.

    Args:
      table: `Table`; the title is the caption, groups are `\multicolumn`s.

    Returns:
      Lines, the first a comment that names the package, the last without a
      newline.
    """
    letters = "".join("r" if _has_numbers(column) else "l" for column in _columns(table))
    title = _latex(table.title)
    return "\n".join(
        [
            r"% Needs \usepackage{booktabs}.",
            r"\begin{table}",
            r"\centering",
            *([rf"\caption{{{title}}}"] if title else []),
            rf"\begin{{tabular}}{{{letters}}}",
            r"\toprule",
            *_latex_groups(table),
            _latex_row(_latex(name) for name in _headings(table)),
            r"\midrule",
            *(
                _latex_row(_formatted(cell, _latex, r"\textbf{{{}}}") for cell in row)
                for row in table.rows
            ),
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
        ]
    )


def _columns(table):
    """The columns' cells, of a table whose parts fit."""
    count = len(table.headings)
    for row in table.rows:
        if len(row) != count:
            raise ValueError(f"{len(row)} cells for {count} headings: {row}")
    sizes = [columns for _, columns in table.groups]
    if sizes and (sum(sizes) != count or min(sizes) < 1):
        raise ValueError(f"groups of {sizes} columns for {count} headings")
    return [[row[n] for row in table.rows] for n in range(count)]


def _spans(table):
    """A triple (heading, first column, end) for each group."""
    ends = list(itertools.accumulate(columns for _, columns in table.groups))
    return [
        (_line(heading), end - columns, end)
        for (heading, columns), end in zip(table.groups, ends, strict=True)
    ]


def _grouped(table):
    """The headings, each after its group's."""
    groups = [name for name, columns in table.groups for _ in range(columns)]
    return [
        _line(f"{group} {heading}")
        for group, heading in itertools.zip_longest(groups, table.headings, fillvalue="")
    ]


def _headings(table, names=None):
    """The names, by default the headings, each with what its cells say."""
    return [
        f"{_line(name)} ± std" if _has_spread(column) else _line(name)
        for name, column in zip(names or table.headings, _columns(table), strict=True)
    ]


def _is_number(cell):
    """Whether a cell holds a number, and not NaN."""
    return isinstance(cell, Cell) and not math.isnan(cell.value)


def _has_numbers(column):
    return any(isinstance(cell, Cell) for cell in column)


def _has_spread(column):
    return any(isinstance(cell, Cell) and cell.spread is not None for cell in column)


def _shown(cell, *, value=None):
    """A number, the cell's by default, with the cell's digits."""
    value = cell.value if value is None else value
    if math.isnan(value):
        return _DASH
    # No negative zero.
    value = round(value, cell.digits) + 0.0
    return f"{value:{'+' if cell.signed else ''}.{cell.digits}f}"


def _pieces(cell):
    """What a cell shows: the value, and the spread or ""."""
    if not _is_number(cell) or cell.spread is None:
        return _shown(cell), ""
    return _shown(cell), _shown(cell._replace(signed=False), value=cell.spread)


def _formatted(cell, escape, bold):
    """A cell escaped, the best as `bold` says."""
    if isinstance(cell, str):
        return escape(cell)
    shown = escape(text(cell))
    return bold.format(shown) if cell.best else shown


def _fields(cell, spread):
    """A cell's fields in CSV: two in a column that has spreads."""
    if isinstance(cell, str):
        return [cell, ""] if spread else [cell]
    values = [cell.value, cell.spread] if spread else [cell.value]
    return ["" if value is None else _full(value) for value in values]


def _full(value):
    """A number as every reader of CSV reads it back."""
    return "NaN" if math.isnan(value) else repr(float(value))


def _block(heading, column):
    """A column's heading and cells, of several widths."""
    pieces = [_pieces(cell) for cell in column if isinstance(cell, Cell)]
    if not pieces:
        return [heading, *map(_line, column)]
    width = max(len(spread) for _, spread in pieces)
    # The space is below the stars.
    return [heading + " ", *(_aligned(cell, width) for cell in column)]


def _aligned(cell, width):
    """A cell whose "±" stands below those of its column."""
    if isinstance(cell, str):
        return _line(cell) + " "
    value, spread = _pieces(cell)
    room = f" ± {spread:>{width}}" if spread else " " * (width and width + 3)
    return value + room + ("*" if cell.best else " ")


def _width(widths):
    """The width of neighbouring columns, with the gaps between them."""
    return sum(widths) + 2 * (len(widths) - 1)


def _latex_groups(table):
    if not table.groups:
        return []
    spans = _spans(table)
    cells = (
        rf"\multicolumn{{{stop - start}}}{{c}}{{{_latex(name)}}}"
        if name
        else " & ".join([""] * (stop - start))
        for name, start, stop in spans
    )
    rules = (rf"\cmidrule(lr){{{start + 1}-{stop}}}" for name, start, stop in spans if name)
    return [_latex_row(cells), " ".join(rules)]


def _latex_row(cells):
    row = " & ".join(cells)
    # After the row above, whose "\\" takes a star or a bracket for its own.
    return ("{}" if row.startswith(("*", "[")) else "") + row + r" \\"


def _latex(words):
    return _line(words).translate(_LATEX)


def _markdown(words):
    return _line(words).translate(_MARKDOWN)


def _line(words):
    """The words on one line."""
    return " ".join(words.split())
