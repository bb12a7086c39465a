"""Tables of results as text, CSV, Markdown and LaTeX (paper, table 2).

If the cells of a column have a spread, they read "77.09 ± 6.89" under the heading "maF ± std"; in
CSV, such a column becomes two columns. NaN, for example of a fold that diverged, becomes a dash.
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
    """A number in a table.

    Attributes:
      value: the number in the unit of the table; scores are in percent.
      spread: standard deviation in the same unit, or None.
      best: whether the number is the best one in its column.
      digits: number of digits after the point.
      signed: whether positive numbers have a plus sign, as changes have.
    """

    value: float
    spread: float | None = None
    best: bool = False
    digits: int = 2
    signed: bool = False


class Table(NamedTuple):
    """A table, from which the functions of this module make text, CSV, Markdown and LaTeX.

    The functions raise ValueError if rows or groups do not fit the headings.

    Attributes:
      title: the title, or "".
      headings: one heading per column.
      rows: rows with one cell per column.
      groups: pairs (heading, number of columns) that cover all columns from left to right; the
        heading is "" for columns without a common heading.
    """

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str | Cell]]
    groups: Sequence[tuple[str, int]] = ()


def percent(value, spread=None):
    """Returns the `Cell` of a share in percent, with its spread unless this is None or NaN."""
    if spread is None or math.isnan(spread):
        return Cell(100 * value)
    return Cell(100 * value, 100 * spread)


def mark_best(table, *, smaller=(), unmarked=()):
    """Marks the best value of each column, and equal values after rounding.

    Args:
      table: `Table`.
      smaller: headings of the columns whose smallest value is the best; in other columns, the
        largest value is the best.
      unmarked: headings of columns in which no value is marked.

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
    """Writes a table to three files: PATH.csv, PATH.md and PATH.tex."""
    path = pathlib.Path(path)
    forms = {"csv": csv, "md": markdown, "tex": latex}
    for suffix, form in forms.items():
        with files.replacing(path.with_name(f"{path.name}.{suffix}")) as file:
            file.write(form(table) + "\n" * (suffix != "csv"))


def text(cell):
    """Returns a `Cell` as text: "77.09 ± 6.89", "77.09" or "–"."""
    return " ± ".join(filter(None, _pieces(cell)))


def terminal(table):
    """Returns a table as text with aligned columns; the best value of a column has a `*`.

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
    r"""Returns a table as CSV, with all digits of the numbers; spreads have columns of their own.

    Args:
      table: `Table`; the title and the marks of the best values are left out.

    Returns:
      Lines that end with "\r\n". A missing spread is an empty field, and NaN is "NaN".
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
    """Returns a table as GitHub-flavoured Markdown, with the best values in bold.

    Args:
      table: `Table`; the heading of a group precedes the headings of its columns.

    Returns:
      The title as a paragraph, if there is one, and the table; the last line ends without a
      newline.
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
    r"""Returns a table as a LaTeX `table` for booktabs, with the best values in bold.

    Args:
      table: `Table`; the title becomes the caption, and groups become `\multicolumn`s.

    Returns:
      Lines, the last without a newline. The first line is a comment that names the package.
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
    """Returns a list of cells per column; raises ValueError if rows or groups do not fit."""
    count = len(table.headings)
    for row in table.rows:
        if len(row) != count:
            raise ValueError(f"{len(row)} cells for {count} headings: {row}")
    sizes = [columns for _, columns in table.groups]
    if sizes and (sum(sizes) != count or min(sizes) < 1):
        raise ValueError(f"groups of {sizes} columns for {count} headings")
    return [[row[n] for row in table.rows] for n in range(count)]


def _spans(table):
    """Returns a triple (heading, first column, end) for each group."""
    ends = list(itertools.accumulate(columns for _, columns in table.groups))
    return [
        (_line(heading), end - columns, end)
        for (heading, columns), end in zip(table.groups, ends, strict=True)
    ]


def _grouped(table):
    """Returns the headings, each preceded by the heading of its group."""
    groups = [name for name, columns in table.groups for _ in range(columns)]
    return [
        _line(f"{group} {heading}")
        for group, heading in itertools.zip_longest(groups, table.headings, fillvalue="")
    ]


def _headings(table, names=None):
    """Returns the names, by default the headings; names of columns with spreads get "± std"."""
    return [
        f"{_line(name)} ± std" if _has_spread(column) else _line(name)
        for name, column in zip(names or table.headings, _columns(table), strict=True)
    ]


def _is_number(cell):
    """Returns whether a cell holds a number other than NaN."""
    return isinstance(cell, Cell) and not math.isnan(cell.value)


def _has_numbers(column):
    return any(isinstance(cell, Cell) for cell in column)


def _has_spread(column):
    return any(isinstance(cell, Cell) and cell.spread is not None for cell in column)


def _shown(cell, *, value=None):
    """Returns a number, by default the cell's value, as text with the cell's digits."""
    value = cell.value if value is None else value
    if math.isnan(value):
        return _DASH
    # Adding 0.0 turns a negative zero into a positive one.
    value = round(value, cell.digits) + 0.0
    return f"{value:{'+' if cell.signed else ''}.{cell.digits}f}"


def _pieces(cell):
    """Returns the texts of a cell's value and of its spread; "" if there is no spread."""
    if not _is_number(cell) or cell.spread is None:
        return _shown(cell), ""
    return _shown(cell), _shown(cell._replace(signed=False), value=cell.spread)


def _formatted(cell, escape, bold):
    """Returns a cell as escaped text, in the format `bold` if the value is the best one."""
    if isinstance(cell, str):
        return escape(cell)
    shown = escape(text(cell))
    return bold.format(shown) if cell.best else shown


def _fields(cell, spread):
    """Returns the CSV fields of a cell: two in a column with spreads, else one."""
    if isinstance(cell, str):
        return [cell, ""] if spread else [cell]
    values = [cell.value, cell.spread] if spread else [cell.value]
    return ["" if value is None else _full(value) for value in values]


def _full(value):
    """Returns a number as text with all its digits, which every CSV reader understands."""
    return "NaN" if math.isnan(value) else repr(float(value))


def _block(heading, column):
    """Returns the texts of a column's heading and cells, which may have different widths."""
    pieces = [_pieces(cell) for cell in column if isinstance(cell, Cell)]
    if not pieces:
        return [heading, *map(_line, column)]
    width = max(len(spread) for _, spread in pieces)
    # The space is above the stars.
    return [heading + " ", *(_aligned(cell, width) for cell in column)]


def _aligned(cell, width):
    """Returns the text of a cell, with its "±" in the same place as in other cells."""
    if isinstance(cell, str):
        return _line(cell) + " "
    value, spread = _pieces(cell)
    room = f" ± {spread:>{width}}" if spread else " " * (width and width + 3)
    return value + room + ("*" if cell.best else " ")


def _width(widths):
    """Returns the width of neighbouring columns and of the gaps between them."""
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
    # LaTeX takes a star or a bracket at the start of a row for an argument of the "\\" before.
    return ("{}" if row.startswith(("*", "[")) else "") + row + r" \\"


def _latex(words):
    return _line(words).translate(_LATEX)


def _markdown(words):
    return _line(words).translate(_MARKDOWN)


def _line(words):
    """Returns the words joined on one line."""
    return " ".join(words.split())
