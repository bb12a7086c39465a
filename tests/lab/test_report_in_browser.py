"""Tests of the laboratory report in Chromium."""

import pathlib
import shutil

import pytest

from spheroid_jax.lab import run
from spheroid_jax.lab.run import MeasureOptions


@pytest.fixture
def opened(plate, chromium):
    """Opens the report of the plate; at the end nothing is wrong and nothing was asked for."""
    (plate / "day1" / "B01.tif").write_bytes(b"<b>no image</b>")
    run.measure_files(["plate"], "results", MeasureOptions())
    problems, asked, pages = [], [], []

    def open_page(**options):
        page = chromium.new_page(**options)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda line: line.type == "error" and problems.append(line.text))
        page.on("request", lambda request: asked.append(request.url))
        page.goto((pathlib.Path("results") / "report.html").resolve().as_uri())
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        page.close()
    assert problems == []
    assert all(url.startswith(("file:", "data:")) for url in asked)


def test_what_needs_a_look_comes_first(opened):
    page = opened()
    names = page.locator(".card .name").all_inner_texts()
    assert len(names) == 5 and names[0] == "day1/B01.tif"
    assert page.locator("#count").inner_text() == "5 of 5 images"
    page.get_by_role("button", name="ok 4").click()
    assert page.locator("#count").inner_text() == "4 of 5 images"


def test_the_plate_shows_one_day_and_opens_a_well(opened):
    page = opened()
    assert page.locator("#plate button").count() == 3
    page.locator("[name=time]").select_option("day 3")
    assert page.locator("#plate button").count() == 2
    page.locator("#plate button").first.click()
    dialog = page.locator("#large")
    assert dialog.locator("h2").inner_text() == "day3/A01.tif"
    assert dialog.locator("polygon").count() == 1
    assert "equivalent_diameter_um" in dialog.locator("table").inner_text()
    assert "_px" not in dialog.locator("table").inner_text().replace("_per_px", "").replace(
        "centroid_x_px", ""
    ).replace("centroid_y_px", "")


def test_a_well_of_several_images_says_so_and_opens_all(plate, chromium, opened):
    for folder in ("plate1", "plate2"):
        (plate / folder).mkdir()
        shutil.copy(plate / "day1" / "A01.tif", plate / folder / "C03_day1.tif")
    run.measure_files(["plate"], "results")
    page = opened()
    page.locator("[name=time]").select_option("day 1")
    well = page.locator("#plate button", has_text="×2")
    assert well.get_attribute("title").startswith("C03: ok 11.")
    well.click()
    heading = page.locator("#large h2")
    assert heading.inner_text() == "plate1/C03_day1.tif"
    page.keyboard.press("ArrowRight")
    assert heading.inner_text() == "plate2/C03_day1.tif"
    page.keyboard.press("Escape")
    page.locator("[name=folder]").select_option("plate2/")
    assert page.locator("#plate button").count() == 1
    assert page.locator("#plate .several").count() == 0


def test_folders_that_are_days_are_no_choice_and_wells_show_diameters(opened):
    page = opened()
    assert page.locator("[name=folder]").is_hidden() and page.locator("#scale").is_hidden()
    page.locator("[name=color]").select_option("size")
    least, largest = page.locator("#scale span").all_inner_texts()
    shown = page.locator("#plate .size").all_inner_texts()
    assert sorted(shown) == [least.removesuffix(" µm"), largest.removesuffix(" µm")]


def test_a_value_stands_beside_its_error_bar_and_a_verdict_beside_its_meaning(opened):
    page = opened()
    page.locator(".card").nth(1).click()
    row = page.locator("#large tr", has_text="equivalent_diameter_um")
    value, bar = row.locator("td").all_inner_texts()
    low, high = map(float, bar.split(" to "))
    assert low <= float(value) <= high and low < high
    assert "Measured, and nothing speaks against it." in page.locator("#large .why").inner_text()
    assert page.locator("#large tr", has_text="_low").count() == 0


def test_the_keyboard_opens_turns_and_closes(opened):
    page = opened()
    page.locator(".card").nth(1).focus()
    page.keyboard.press("Enter")
    heading = page.locator("#large h2")
    first = heading.inner_text()
    page.keyboard.press("ArrowRight")
    assert heading.inner_text() != first
    page.keyboard.press("ArrowLeft")
    assert heading.inner_text() == first
    page.locator("#large-contours").uncheck()
    assert page.locator("#large polygon").first.is_hidden()
    page.keyboard.press("Escape")
    assert page.locator("#large").is_hidden()


def test_it_fits_a_phone_in_the_dark(opened):
    page = opened(viewport={"width": 390, "height": 800}, color_scheme="dark")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    background = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert background == "rgb(20, 24, 28)"


def test_what_a_file_contains_stays_text(opened):
    page = opened()
    page.locator(".card").first.click()
    assert "not an image" in page.locator("#large .why").inner_text()
    assert page.locator("b", has_text="no image").count() == 0
