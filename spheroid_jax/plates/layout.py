"""Plate maps: what is in each well, from CSV, Excel or TOML.

    well,role,treatment,concentration,concentration_unit
    A01,negative,DMSO,0,uM
    B01,sample,cisplatin,10,uM

`read` checks the whole map and guesses nothing: a well is a control by its role alone, never by a
concentration of 0 or an empty cell. What was taken or left out without the map saying so is a note.
"""

import collections
import dataclasses
import math
import os
import pathlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from spheroid_jax.plates import layout_csv, layout_excel, layout_fields, layout_toml
from spheroid_jax.plates.layout_fields import LayoutError, Row
from spheroid_jax.report import plates

_READERS = {
    **dict.fromkeys((".csv", ".tsv", ".txt"), layout_csv.read),
    **dict.fromkeys((".xlsx", ".xlsm"), layout_excel.read),
    ".toml": layout_toml.read,
}
_SPHEROIDS = ("sample", "negative", "positive")
_SHOWN = 6


@dataclasses.dataclass(frozen=True)
class Well:
    """One well of a plate map.

    Attributes:
      plate: name of the plate; "" where the map names none.
      experiment: name of the biological replicate; the plate's where the map names none.
      well: row and column, "A01".
      row: number of the row, from 0.
      column: number of the column, from 0.
      cell_line: name of the cell line; may be "".
      treatment: name of the drug or other treatment; "" only for wells that are no samples.
      concentration: in `concentration_unit`; NaN where the map has none.
      concentration_unit: one of `layout_fields.UNITS`.
      role: "sample", "negative", "positive", "blank" or "empty".
      replicate: name of the technical replicate; may be "".
      seeding: cells at seeding; NaN where the map has none.
      excluded: whether the map leaves the well out.
      note: the map's note.
      line: line of the well in the file, from 1.
    """

    plate: str
    experiment: str
    well: str
    row: int
    column: int
    cell_line: str
    treatment: str
    concentration: float
    concentration_unit: str
    role: str
    replicate: str
    seeding: float
    excluded: bool
    note: str
    line: int


class Layout(NamedTuple):
    """A plate map.

    Attributes:
      wells: in the order of the file.
      format: number of wells of each plate: 6, 12, 24, 48, 96, 384 or 1536.
      source: the file.
      notes: what a reader of results should know about the map, one sentence each.
    """

    wells: tuple[Well, ...]
    format: int
    source: str
    notes: tuple[str, ...]


class _Entry(NamedTuple):
    """A well and the row it was read from."""

    row: Row
    well: Well

    def error(self, field, problem):
        return self.row.cell(field).error(problem)


def read(path: str | os.PathLike, *, wells: int | None = None) -> Layout:
    """Reads a plate map; the suffix of the file says its format.

    Args:
      path: a `.csv`, `.tsv`, `.txt`, `.xlsx`, `.xlsm` or `.toml` file.
      wells: number of wells of each plate; None for the smallest standard plate with all wells,
        which a note says.

    Raises:
      LayoutError: the map cannot be used; the message is one line with the place in the file.
      MissingPackage: openpyxl is not installed, for Excel.
      OSError: the file cannot be read.
    """
    if wells is not None and wells not in plates.FORMATS:
        known = layout_fields.one_of(map(str, plates.FORMATS))
        raise LayoutError(f"{path}: there is no plate of {wells} wells; plates have {known}")
    rows, notes = _reader(path)(path)
    entries = [_Entry(row, _well(row)) for row in rows]
    _check_in_use(path, entries)
    _check_once(entries)
    _check_named(entries)
    _check_spelling(entries)
    _check_treatments(entries)
    if wells is not None:
        _check_format(entries, wells)
    format, guessed = (wells, []) if wells is not None else _smallest(entries)
    notes = [*notes, *guessed, *_zero_doses(entries), *_without_controls(entries)]
    return Layout(tuple(entry.well for entry in entries), format, str(path), tuple(notes))


def _reader(path):
    suffix = pathlib.Path(path).suffix.lower()
    if suffix not in _READERS:
        old = "; save it as .xlsx or as 'CSV UTF-8'" if suffix in (".xls", ".ods", ".xlsb") else ""
        raise LayoutError(
            f"{path}: a plate map is a {layout_fields.one_of(_READERS)} file, not "
            f"{suffix or 'one without a suffix'}{old}"
        )
    return _READERS[suffix]


def _well(row):
    """Reads the cells of one row."""
    position = layout_fields.well(row.cell("well"))
    role = "empty" if row.unused else layout_fields.role(row.cell("role"))
    _check_role(row, role)
    return Well(
        plate=row.text("plate"),
        experiment=row.text("experiment") or row.text("plate"),
        well=position.name,
        row=position.row,
        column=position.column,
        cell_line=row.text("cell_line"),
        treatment=row.text("treatment"),
        concentration=layout_fields.number(row.cell("concentration")),
        concentration_unit=layout_fields.unit(row.cell("concentration_unit")),
        role=role,
        replicate=row.text("replicate"),
        seeding=layout_fields.number(row.cell("seeding")),
        excluded=layout_fields.excluded(row.cell("excluded")),
        note=row.text("note"),
        line=row.line,
    )


def _check_role(row, role):
    """Checks that a role and a treatment can be true together."""
    if role == "sample" and not row.text("treatment"):
        raise row.cell("treatment").error(
            "the treatment of a sample is missing; write its name, or the role negative for wells "
            "without treatment"
        )
    if role == "empty" and (row.text("treatment") or row.text("concentration")):
        raise row.cell("role").error(
            "an empty well has a treatment or a concentration; write the role sample or blank, or "
            "delete the treatment"
        )


def _check_in_use(path, entries):
    if all(entry.row.unused for entry in entries):
        raise LayoutError(
            f"{path}: no role is filled in yet; write {layout_fields.one_of(layout_fields.ROLES)} "
            "into the column role"
        )
    if all(entry.well.role == "empty" for entry in entries):
        raise LayoutError(f"{path}: every well has the role empty; give the wells in use others")


def _check_once(entries):
    """Checks that each well of each plate is there once."""
    seen = {}
    for entry in entries:
        well = entry.well
        first = seen.setdefault((well.plate, well.well), entry)
        if first is not entry:
            on = f" of plate {layout_fields.shown(well.plate)}" if well.plate else ""
            raise entry.error(
                "well",
                f"well {well.well}{on} is in line {first.well.line}, too; keep one of the two, or "
                "tell plates apart in the column plate",
            )


def _check_named(entries):
    """Checks that the plate and the cell line are named for all wells or for none."""
    used = [entry for entry in entries if not entry.row.unused]
    with_spheroids = [entry for entry in used if entry.well.role in _SPHEROIDS]
    for field, concerned in (("plate", used), ("cell_line", with_spheroids)):
        named = [entry for entry in concerned if entry.row.text(field)]
        without = [entry for entry in concerned if not entry.row.text(field)]
        if named and without:
            raise without[0].error(
                field,
                f"the {field} of {without[0].well.well} is missing, and line {named[0].well.line} "
                "has one; write it for all wells or for none",
            )


def _check_spelling(entries):
    """Checks that no two names differ in capital letters alone."""
    for field in ("plate", "experiment", "cell_line", "treatment"):
        seen = {}
        for entry in entries:
            name = getattr(entry.well, field)
            first = seen.setdefault(name.casefold(), entry)
            if name != getattr(first.well, field):
                raise entry.error(
                    field,
                    f"{layout_fields.shown(name)} is "
                    f"{layout_fields.shown(getattr(first.well, field))} in line "
                    f"{first.well.line}; write both alike",
                )


def _check_treatments(entries):
    """Checks that all wells of a treatment have concentrations in one unit, or none has one."""
    of_treatment = collections.defaultdict(list)
    for entry in entries:
        if entry.well.treatment and not entry.well.excluded:
            of_treatment[entry.well.treatment].append(entry)
    for name, same in of_treatment.items():
        dosed = [entry for entry in same if not math.isnan(entry.well.concentration)]
        _check_one_unit(name, dosed)
        samples = [entry for entry in same if entry.well.role == "sample"]
        undosed = [entry for entry in samples if math.isnan(entry.well.concentration)]
        if dosed and undosed:
            raise undosed[0].error(
                "concentration",
                f"the concentration of {layout_fields.shown(name)} is missing, and line "
                f"{dosed[0].well.line} has one; write it, or exclude the well",
            )


def _check_one_unit(name, dosed):
    for entry in dosed:
        unit, first = entry.well.concentration_unit, dosed[0].well.concentration_unit
        if unit != first:
            kinds = layout_fields.UNITS[unit], layout_fields.UNITS[first]
            mixed = f" ({kinds[0]} and {kinds[1]})" if kinds[0] != kinds[1] else ""
            raise entry.error(
                "concentration_unit",
                f"{layout_fields.shown(name)} is in {unit or 'no unit'} here and in "
                f"{first or 'no unit'} in line {dosed[0].well.line}{mixed}; use one unit per "
                "treatment",
            )


def _check_format(entries, wells):
    for entry in entries:
        if not plates.holds(wells, _position(entry.well)):
            raise entry.error(
                "well",
                f"{entry.well.well} is not on a plate of {wells} wells, A01 to "
                f"{plates.last_well(wells)}; correct the well, or say another number of wells",
            )


def _smallest(entries):
    """The smallest plate that has all wells, and the note that says so."""
    positions = [_position(entry.well) for entry in entries]
    format = plates.smallest(positions)
    rows, columns = max(p.row for p in positions), max(p.column for p in positions)
    reach = f"rows A to {plates.row_letters(rows)} and columns 1 to {columns + 1}"
    note = f"the plate is taken to have {format} wells, the smallest with {reach}"
    return format, [note]


def _position(well):
    return plates.Position(well.well, well.row, well.column)


def _zero_doses(entries):
    """The note about samples with concentration 0, which stay samples."""
    zero = [e.well for e in entries if e.well.role == "sample" and e.well.concentration == 0]
    if not zero:
        return []
    return [
        f"{_counted(zero)} with the role sample and concentration 0 count as samples, not as "
        "controls; a control has the role negative"
    ]


def _without_controls(entries):
    """One note per plate without a negative control."""
    used = [e.well for e in entries if e.well.role in _SPHEROIDS and not e.well.excluded]
    controlled = {well.plate for well in used if well.role == "negative"}
    names = dict.fromkeys(well.plate for well in used if well.plate not in controlled)
    return [
        f"{f'plate {layout_fields.shown(name)}' if name else 'the plate'} has no well with the "
        "role negative, so nothing is compared with a control"
        for name in names
    ]


def _counted(wells: Sequence[Well]) -> str:
    """Returns "2 wells (A01, B01)"."""
    names: Iterable[str] = (well.well for well in wells[:_SHOWN])
    more = ", ..." if len(wells) > _SHOWN else ""
    return f"{len(wells)} {'well' if len(wells) == 1 else 'wells'} ({', '.join(names)}{more})"
