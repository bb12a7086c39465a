"""Tests of plate maps to fill in: empty, filled in, explained, and not overwritten."""

import openpyxl
import pytest

from spheroid_jax.plates import layout, layout_fields, template
from spheroid_jax.plates.layout_fields import LayoutError


@pytest.mark.parametrize(
    ("suffix", "wells"), [(".csv", 384), (".csv", 6), (".xlsx", 96), (".toml", 1536)]
)
def test_a_template_that_is_not_filled_in_is_one_line(tmp_path, suffix, wells):
    path = tmp_path / f"map{suffix}"
    template.write(path, wells)
    with pytest.raises(LayoutError, match=r"map\.\w+: no role is filled in yet; write sample, neg"):
        layout.read(path)


def filled(path):
    """Fills in a template: A01 is a control, and B02 a sample."""
    if path.suffix == ".toml":
        text = (
            path.read_text().replace('"A01:H12"', '"A01"').replace('role = ""', 'role="negative"')
        )
        entry = '[[wells]]\nwells="B02"\nrole="sample"\ntreatment="X"\nconcentration=2\n'
        path.write_text(text.replace("[[wells]]", entry + "[[wells]]"))
    elif path.suffix == ".csv":
        text = path.read_text(encoding="utf-8").replace(",A01,,,,,,", ",A01,,,,,negative,")
        text = text.replace(",B02,,,,,,", ",B02,,X,2,uM,sample,")
        path.write_text(text, encoding="utf-8")
    else:
        workbook = openpyxl.load_workbook(path)
        sheet = workbook["plate"]
        places = {name: n for n, name in enumerate(layout_fields.NAMES, start=1)}
        values = {"treatment": "X", "concentration": 2, "concentration_unit": "uM"}
        for name, value in {**values, "role": "sample"}.items():
            sheet.cell(15, places[name], value)
        sheet.cell(2, places["role"], "negative")
        workbook.save(path)


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".toml"])
def test_a_template_that_is_filled_in_is_read(tmp_path, suffix):
    path = tmp_path / f"map{suffix}"
    template.write(path)
    filled(path)
    found = layout.read(path, wells=96)
    assert found.notes == ()
    assert len(found.wells) == (2 if suffix == ".toml" else 96)
    used = {well.well: well for well in found.wells if well.role != "empty"}
    assert {name: well.role for name, well in used.items()} == {"A01": "negative", "B02": "sample"}
    sample = used["B02"]
    assert (sample.treatment, sample.concentration) == ("X", 2)
    assert sample.concentration_unit == "uM"


def test_a_template_explains_every_column_and_role(tmp_path):
    for content in (template.csv_bytes(96), template.toml_bytes(96)):
        for name in layout_fields.NAMES:
            assert f"# {name}: ".encode() in content
        for name in layout_fields.ROLES:
            assert f"# role {name}: ".encode() in content
    template.write(tmp_path / "map.xlsx", 6)
    cells = openpyxl.load_workbook(tmp_path / "map.xlsx")["# columns"]["A"]
    named = {cell.value for cell in cells}
    assert named >= {*layout_fields.NAMES, *(f"role {name}" for name in layout_fields.ROLES)}


def test_a_template_overwrites_no_map(tmp_path):
    path = tmp_path / "map.csv"
    path.write_text("mine")
    with pytest.raises(LayoutError, match="is there already"):
        template.write(path)
    assert path.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(("name", "wells"), [("map.csv", 95), ("map.ods", 96), ("map", 96)])
def test_a_template_that_cannot_be_is_refused(tmp_path, name, wells):
    with pytest.raises(LayoutError, match=r"no plate of 95 wells|a template is a \.csv"):
        template.write(tmp_path / name, wells)
    assert list(tmp_path.iterdir()) == []
