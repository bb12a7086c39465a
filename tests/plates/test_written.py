"""Tests of what an analysis writes: tables, figures, page, and what is kept."""

import csv
import dataclasses
import json
import re

import pytest
from plate_tables import write_plate

from spheroid_jax.plates import analysis, comparison_rows


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """An analysis, its folder of inputs, and its output."""
    folder = tmp_path_factory.mktemp("written")
    found = analysis.plate(*write_plate(folder))
    found.write(folder / "analysis", xlsx=True)
    return found, folder / "analysis"


def table(path):
    with open(path, newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def test_there_is_a_row_per_well_and_time_and_per_condition(written):
    found, output = written
    wells, conditions = table(output / "wells.csv"), table(output / "conditions.csv")
    assert len(wells) == len(found.joined.rows) and len(conditions) == len(found.conditions)
    control = next(row for row in conditions if row["role"] == "negative")
    assert (control["n"], control["n_unit"], control["refused"]) == ("6", "wells", "0")
    assert float(control["percent_of_control"]) == 100
    refused = [row for row in wells if row["well"] == "D11"]
    assert {(row["size"], row["reason"]) for row in refused} == {("", "verdict: empty")}


def test_every_column_is_explained(written):
    _, output = written
    explained = set(re.findall(r"^\| `(\w+)` \|", (output / "columns.md").read_text(), re.M))
    for name in ("wells", "conditions", "fits", "comparisons", "gr_calculator"):
        assert set(table(output / f"{name}.csv")[0]) <= explained


def test_fits_hold_what_the_answers_say(written):
    found, output = written
    (row,) = [
        row
        for row in table(output / "fits.csv")
        if (row["fit"], row["quantity"], row["treatment"]) == ("GR", "gr50", "alphastatin")
    ]
    assert float(row["value"]) == pytest.approx(found.drugs[0].gr50.dose.value, rel=1e-5)
    assert row["unit"] == "uM"


def test_comparisons_are_those_of_the_conditions_and_pairs_come_when_asked_for(written, tmp_path):
    found, output = written
    rows = table(output / "comparisons.csv")
    assert [row["family"] for row in rows] == 14 * ["against control"] + ["all conditions at once"]
    (top,) = [row for row in rows if row["first"] == "alphastatin 30 uM"]
    (condition,) = [
        each for each in found.conditions if each.group.key.label == "alphastatin 30 uM"
    ]
    assert float(top["p_holm"]) == pytest.approx(condition.comparison.p_holm, rel=1e-5)
    paired = found._replace(options=dataclasses.replace(found.options, pairs=True))
    rows = list(comparison_rows.of_conditions(paired.conditions, paired.times, paired.options))
    assert sum(row["family"] == "all pairs" for row in rows) == 15 * 14 // 2


def test_gr_calculator_gets_its_own_columns(written):
    _, output = written
    rows = table(output / "gr_calculator.csv")
    names = ["cell_line", "treatment", "concentration"]
    assert list(rows[0]) == [*names, "cell_count", "cell_count__ctrl", "cell_count__time0"]
    assert len(rows) == 42  # Two drugs, seven doses, three wells; the refused one is left out.


def test_the_page_begins_with_the_answers_and_ends_with_the_methods(written):
    found, output = written
    page = (output / "analysis.html").read_text()
    places = [page.index(text) for text in ("alphastatin: GR50", "<h2>Methods</h2>")]
    assert places == sorted(places) and page.index("</blockquote>") > places[-1]
    assert "<script" not in page and "http" not in page.split("</head>")[1]
    about = json.loads((output / "analysis.json").read_text())
    assert about["answers"] == list(found.answers) and "SciPy" in about["methods"]


def test_each_figure_is_there_as_svg_and_png(written):
    _, output = written
    names = {path.stem for path in (output / "figures").glob("*.svg")}
    assert names == {path.stem for path in (output / "figures").glob("*.png")}
    assert names == {"dose_response", "growth_1", "growth_2", "plate_1"}


def test_a_second_run_replaces_its_own_files_and_keeps_edited_ones(written):
    found, output = written
    edited = output / "conditions.csv"
    before = edited.read_bytes()
    edited.write_text("mine")
    kept = found.write(output)
    assert list(kept) == ["conditions.csv"] and edited.read_text() == "mine"
    assert (output / "conditions.new.csv").read_bytes() == before
    edited.write_bytes(before)
    assert found.write(output) == {}
