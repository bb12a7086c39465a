"""Tests of the page of an analysis in Chromium, with names as hostile as they come."""

import pathlib

import pytest
from plate_tables import write_plate

from spheroid_jax.plates import analysis

HOSTILE = {
    "alphastatin": '"<script>document.title = 1</script> $x$ \\frac{ "" &"',
    "betamycin": "=cmd" + 200 * "x",
    "line": 200 * "L",
}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    results, wells = write_plate(folder, days=(6,))
    text = wells.read_text()
    for plain, hostile in HOSTILE.items():
        text = text.replace(f",{plain},", f",{hostile},")
    wells.write_text(text)
    analysis.plate(results, wells).write(folder / "analysis")
    return folder / "analysis"


def test_file_names_are_plain_and_no_cell_is_a_formula(written):
    names = [path.stem for path in (written / "figures").iterdir()]
    assert names and all(name.isascii() and name.replace("_", "").isalnum() for name in names)
    text = (written / "conditions.csv").read_text("utf-8-sig")
    assert ",'=cmd" in text and ",=cmd" not in text


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_nothing_runs_and_nothing_is_wider_than_the_page(written, chromium, width, scheme):
    page = chromium.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(pathlib.Path(written / "analysis.html").resolve().as_uri())
    assert page.title() == "Analysis of map" and page.locator("script").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("[...document.images].every(image => image.naturalWidth > 0)")
    page.close()
    assert problems == []
