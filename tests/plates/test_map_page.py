"""Tests of the page of plate maps: its tables and examples are those of the package."""

import re

from helpers import ROOT
from maps import said, write_book

from spheroid_jax.plates import layout, layout_fields
from spheroid_jax.report import plates

PAGE = (ROOT / "docs" / "reference" / "plate-map.md").read_text(encoding="utf-8")


def table(heading):
    """The cells of the table below a heading, without those of its first lines."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = re.findall(r"^\| ?(.+?) \|$", section, re.M)
    return [[cell.strip() for cell in line.split("|")] for line in lines[1:]]


def block(language):
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.M | re.S)
    return found


def test_the_page_has_every_column_role_and_unit():
    columns = [[f"`{column.name}`", column.meaning] for column in layout_fields.COLUMNS]
    assert table("Columns") == columns
    assert table("Roles") == [[f"`{name}`", said] for name, said in layout_fields.ROLES.items()]
    units = {unit: kind for row, kind in table("Units") for unit in re.findall(r"[^`, ]+", row)}
    assert units == {unit or "nothing": kind for unit, kind in layout_fields.UNITS.items()}
    for wells in plates.FORMATS:
        assert f"{wells:,}" in PAGE


def test_the_three_examples_say_the_same(tmp_path):
    for language in ("csv", "toml"):
        (tmp_path / f"map.{language}").write_text(block(language), encoding="utf-8")
    cells = [[cell or None for cell in line[1:]] for line in table("Excel")]
    write_book(tmp_path / "map.xlsx", {"plate": cells})
    maps = {suffix: layout.read(tmp_path / f"map.{suffix}") for suffix in ("csv", "xlsx", "toml")}
    wells = {
        suffix: sorted(said(each), key=lambda well: str(well["well"]))
        for suffix, each in maps.items()
    }
    assert wells["csv"] == wells["xlsx"] == wells["toml"]
    assert len(wells["csv"]) == 6 and maps["csv"].notes == maps["xlsx"].notes == maps["toml"].notes
