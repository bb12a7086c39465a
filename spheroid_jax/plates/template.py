"""Plate maps to fill in, as CSV, Excel or TOML: one row per well, with columns explained."""

import os
import pathlib

from spheroid_jax.plates import layout_fields
from spheroid_jax.plates.layout_fields import LayoutError
from spheroid_jax.report import plates, sheets
from spheroid_jax.report.sheets import Column
from spheroid_jax.runtime import files

_BOM = b"\xef\xbb\xbf"


def write(path: str | os.PathLike, wells: int = 96):
    """Writes a plate map to fill in; the suffix says whether it is CSV, Excel or TOML.

    Raises:
      LayoutError: another suffix, no such plate, or the file is there already.
      OSError: the file cannot be written.
    """
    path = pathlib.Path(path)
    makers = {".csv": csv_bytes, ".xlsx": xlsx_bytes, ".toml": toml_bytes}
    if path.suffix.lower() not in makers:
        raise LayoutError(f"{path}: a template is a {layout_fields.one_of(makers)} file")
    if path.exists():
        raise LayoutError(f"{path}: is there already and may be filled in; choose another name")
    content = makers[path.suffix.lower()](wells)
    with files.replacing(path, "wb") as file:
        file.write(content)


def csv_bytes(wells: int) -> bytes:
    """Makes a CSV file with comments that explain columns and roles, and one line per well."""
    comments = "".join(f"# {line}\n" for line in _explained())
    table = sheets.csv_bytes(layout_fields.COLUMNS, _rows(wells)).removeprefix(_BOM)
    return _BOM + comments.encode() + table


def xlsx_bytes(wells: int) -> bytes:
    """Makes an Excel file: a sheet with one row per well, and one that explains it."""
    explained = [
        {"column": column.name, "meaning": column.meaning} for column in layout_fields.COLUMNS
    ]
    explained += [
        {"column": f"role {name}", "meaning": said} for name, said in layout_fields.ROLES.items()
    ]
    return sheets.xlsx_bytes(
        {
            "plate": (layout_fields.COLUMNS, _rows(wells)),
            "# columns": ([Column("column", ""), Column("meaning", "")], explained),
        }
    )


def toml_bytes(wells: int) -> bytes:
    """Makes a TOML file with comments, defaults, and one entry for all wells."""
    whole = f"A01:{plates.last_well(_checked(wells))}"
    lines = [
        *(f"# {line}" for line in _explained()),
        "",
        "# What all wells share unless an entry says otherwise.",
        "[defaults]",
        'cell_line = ""',
        'concentration_unit = "uM"',
        "",
        '# One entry for wells with the same role and treatment: "A01:H01" or ["A01" and so on].',
        "# A list such as concentration = [1, 10] has one value per well from left to right.",
        "[[wells]]",
        f'wells = "{whole}"',
        'role = ""',
    ]
    return ("\n".join(lines) + "\n").encode()


def _explained():
    return [
        "Plate map: fill in the role and the treatment of each well that is in use.",
        "Lines that begin with # are comments. Wells without a role count as empty.",
        *(f"{column.name}: {column.meaning}" for column in layout_fields.COLUMNS),
        *(f"role {name}: {said}" for name, said in layout_fields.ROLES.items()),
    ]


def _rows(wells):
    return [{"well": position.name} for position in plates.all_wells(_checked(wells))]


def _checked(wells):
    if wells not in plates.FORMATS:
        known = layout_fields.one_of(map(str, plates.FORMATS))
        raise LayoutError(f"there is no plate of {wells} wells; plates have {known}")
    return wells
