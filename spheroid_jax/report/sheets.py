"""Tables as files: CSV, Excel and Parquet, and the explanation of their columns."""

import csv
import io
import pathlib
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import xlsxwriter

from spheroid_jax.runtime import extras

# A cell that begins with one of these is a formula for spreadsheet programs.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Column(NamedTuple):
    """One column of a table.

    Attributes:
      name: with the unit at its end, where it has one.
      meaning: what the number says, in one sentence.
      formula: how it is computed; "" where the meaning says it.
      source: where the definition is from; "" where it is ours.
    """

    name: str
    meaning: str
    formula: str = ""
    source: str = ""


def csv_bytes(columns: Sequence[Column], rows: Iterable[dict[str, Any]]) -> bytes:
    """Makes a CSV file: UTF-8 with a mark that Excel needs, decimal points, one row per dict.

    A text that a spreadsheet program would take for a formula gets an apostrophe in front.
    """
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    names = [column.name for column in columns]
    writer.writerow(names)
    for row in rows:
        writer.writerow([safe(row.get(name, "")) for name in names])
    return b"\xef\xbb\xbf" + file.getvalue().encode("utf-8", "replace")


def safe(value: Any) -> Any:
    """Returns a cell that no spreadsheet program takes for a formula; whole numbers without .0."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return "" if value is None else value


def read_csv(path: pathlib.Path) -> list[dict[str, str]]:
    """Reads a table that `csv_bytes` made, as texts."""
    with open(path, newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def xlsx_bytes(sheets: dict[str, tuple[Sequence[Column], Sequence[dict[str, Any]]]]) -> bytes:
    """Makes an Excel file of one sheet per table, with filters and a fixed heading."""
    file = io.BytesIO()
    # Texts are texts: neither formulas nor links.
    options = {"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True}
    with xlsxwriter.Workbook(file, options) as book:
        bold = book.add_format({"bold": True, "bottom": 1})
        for name, (columns, rows) in sheets.items():
            sheet = book.add_worksheet(name)
            sheet.freeze_panes(1, 1)
            sheet.autofilter(0, 0, max(len(rows), 1), len(columns) - 1)
            for place, column in enumerate(columns):
                sheet.write_string(0, place, column.name, bold)
                sheet.set_column(place, place, max(8, min(len(column.name) + 2, 40)))
                for line, row in enumerate(rows, start=1):
                    _write_cell(sheet, line, place, row.get(column.name, ""))
    return file.getvalue()


def check_formats(formats: Iterable[str]):
    """Checks that tables can be written in some formats.

    Raises:
      MissingPackage: a package is not installed.
    """
    if "parquet" in formats:
        with extras.needed("a Parquet file", "parquet"):
            import pyarrow  # noqa: F401


def parquet_bytes(columns: Sequence[Column], rows: Sequence[dict[str, Any]]) -> bytes:
    """Makes a Parquet file; empty cells are null, and each column has the explanation with it.

    Raises:
      MissingPackage: pyarrow is not installed.
    """
    with extras.needed("a Parquet file", "parquet"):
        import pyarrow
        from pyarrow import parquet
    fields, arrays = [], []
    for column in columns:
        values = [row.get(column.name, "") for row in rows]
        kept = [None if value == "" else value for value in values]
        kind = pyarrow.string()
        if any(value is not None for value in kept) and not any(
            isinstance(value, str) for value in kept
        ):
            kind = pyarrow.float64()
        arrays.append(pyarrow.array([_typed(value, kind, pyarrow) for value in kept], kind))
        fields.append(pyarrow.field(column.name, kind, metadata={"meaning": column.meaning}))
    file = io.BytesIO()
    parquet.write_table(pyarrow.table(arrays, schema=pyarrow.schema(fields)), file)
    return file.getvalue()


def explanation(tables: dict[str, Sequence[Column]]) -> str:
    """Makes columns.md: a table of columns per file, with formula and source."""
    parts = [
        "# Columns\n\nLengths are in micrometres (`_um`), areas in square micrometres (`_um2`),\n"
        "volumes in cubic micrometres (`_um3`), and the same in pixels beside them. Columns in\n"
        "micrometres are empty where the pixel size is not known. `_low` and `_high` are the ends\n"
        "of an error bar.\n"
    ]
    for name, columns in tables.items():
        parts.append(f"\n## {name}\n\n| column | meaning | formula | source |\n|---|---|---|---|\n")
        parts += [
            f"| `{column.name}` | {column.meaning} | {column.formula} | {column.source} |\n"
            for column in columns
        ]
    return "".join(parts)


def _typed(value, kind, pyarrow):
    if value is None:
        return None
    return str(value) if kind == pyarrow.string() else float(value)


def _write_cell(sheet, line, place, value):
    if value == "" or value is None:
        sheet.write_blank(line, place, None)
    elif isinstance(value, str):
        sheet.write_string(line, place, value)
    else:
        sheet.write_number(line, place, value)
