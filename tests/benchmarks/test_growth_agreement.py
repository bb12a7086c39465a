"""Agreement with other authors' areas: arithmetic by hand, and a run over drawn spheroids."""

import csv
import math

import numpy as np
import pytest
from helpers import dark_disk, thresholding
from PIL import Image

from benchmarks import agreement_tables, growth_agreement
from spheroid_jax.inference import model_file
from spheroid_jax.plates import observations
from spheroid_jax.report import tables

WELLS, DAYS = "abc", (1, 3, 5)
NONE = "not like the training images"
PAGE = "# Growth\n\n<!-- measured -->\n\nold\n\n<!-- end of measured -->\n\nwords\n"


def seen(image, value, verdict="ok"):
    return observations.Observation("results", image, "", math.nan, value, verdict, "", "")


def of_wells(area, *, wells=WELLS, verdicts=()):
    """Returns our measurements; `area` is a function of well and day."""
    verdicts = dict(verdicts)
    return {
        (well, day): seen(f"{well}_d{day}.png", area(well, day), verdicts.get((well, day), "ok"))
        for well in wells
        for day in DAYS
    }


def growing(well, day):
    """Areas in um2 whose volume grows by 30 % per day, so the area by 20 %."""
    return 1000 * (1 + "abcd".index(well)) * math.exp(0.2 * day)


THEIRS = {(well, day): growing(well, day) for well in WELLS for day in DAYS}


def test_equal_areas_have_equal_rates_and_a_bias_of_1(tmp_path):
    found = growth_agreement.compare("m", of_wells(growing), THEIRS, tmp_path)
    assert [each.well for each in found.rates] == list(WELLS)
    for each in found.rates:
        for rate in (each.ours, each.theirs, each.theirs_all):
            assert rate.rate_per_day.value == pytest.approx(0.3)
            assert rate.doubling_days.value == pytest.approx(math.log(2) / 0.3)
    assert np.ravel(found.agreed.areas[:3]) == pytest.approx(np.zeros(9))
    assert found.agreed == found.trusted


def test_a_common_factor_is_a_bias_of_areas_and_none_of_rates(tmp_path):
    ours = of_wells(lambda well, day: 1.2 * growing(well, day))
    agreed = growth_agreement.compare("m", ours, THEIRS, tmp_path).agreed
    assert math.exp(agreed.areas.bias.mean) == pytest.approx(1.2)
    assert agreed.areas.count == 9
    assert agreed.rates.bias.mean == pytest.approx(0)


def test_a_factor_that_grows_with_time_is_a_bias_of_rates(tmp_path):
    ours = of_wells(lambda well, day: growing(well, day) * math.exp(0.02 * day))
    agreed = growth_agreement.compare("m", ours, THEIRS, tmp_path).agreed
    # Of areas 2 % per day, of volumes 1.5 times as much.
    assert agreed.rates.bias.mean == pytest.approx(0.03)
    assert agreed.rates.count == 3


def test_rates_are_of_days_in_common_and_of_wells_with_three(tmp_path):
    wells = "abcd"
    theirs = {(well, day): growing(well, day) for well in wells for day in (*DAYS, 9)}
    ours = of_wells(growing, wells=wells, verdicts={("d", 3): NONE})
    ours["d", 3] = ours["d", 3]._replace(value=math.nan)
    # The authors failed on the ninth day, of which we have no image.
    theirs["a", 9] = 10.0
    found = growth_agreement.compare("m", ours, theirs, tmp_path)
    assert [(each.well, each.days) for each in found.rates] == [(well, DAYS) for well in "abc"]
    assert found.rates[0].theirs.rate_per_day.value == pytest.approx(0.3)
    assert found.rates[0].theirs_all.count == 4
    assert found.rates[0].theirs_all.rate_per_day.value < 0
    text = agreement_tables.render(found)
    assert "12 images of 4 wells, 1 without an area (d on day" in text.replace("\n", " ")


def test_doubted_images_are_left_out_of_the_trusted(tmp_path):
    wells = "abcd"
    theirs = {(well, day): growing(well, day) for well in wells for day in DAYS}
    ours = of_wells(growing, wells=wells, verdicts={("d", 5): NONE})
    ours["d", 5] = ours["d", 5]._replace(value=3 * theirs["d", 5])
    found = growth_agreement.compare("m", ours, theirs, tmp_path)
    assert (found.agreed.areas.count, found.trusted.areas.count) == (12, 11)
    assert (found.agreed.rates.count, found.trusted.rates.count) == (4, 3)
    assert math.exp(found.agreed.areas.bias.mean) == pytest.approx(3 ** (1 / 12))
    assert found.trusted.areas.bias.mean == pytest.approx(0)
    pairs = [each for each in found.images if each.theirs > 0]
    assert [row[0] for row in agreement_tables.outside(pairs, found.agreed.areas).rows] == [
        "d, day 5"
    ]


def test_too_few_wells_are_an_error(tmp_path):
    with pytest.raises(growth_agreement.AgreementError, match="2 wells with 3 days"):
        growth_agreement.compare("m", of_wells(growing, wells="ab"), THEIRS, tmp_path)


def test_the_tables_by_day_have_geometric_means():
    pairs = [
        growth_agreement.Compared(*each, "ok")
        for each in (("a", 1, 2.0, 1.0, 4.0), ("b", 1, 8.0, 1.0, 4.0), ("a", 3, 3.0, 2.0, 3.0))
    ]
    lines = tables.csv(agreement_tables.by_day(pairs)).splitlines()[1:]
    assert [[float(cell) for cell in line.split(",")] for line in lines] == [
        pytest.approx([1, 2, 4, 4, 1]),
        pytest.approx([3, 1, 1.5, 1.5, 1]),
    ]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Discs that grow, with their masks and areas, and a model that finds them."""
    root = tmp_path_factory.mktemp("drawn")
    place, rng = root / "dataset2", np.random.default_rng(0)
    for kind in ("images", "masks"):
        (place / kind).mkdir(parents=True)
    with (place / "authors_measurements.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["day", "pos", "area", "maj_ax"])
        for n, well in enumerate(WELLS):
            for day in DAYS:
                gray, mask = dark_disk(96, (48, 48), 14 + n + day, rng)
                Image.fromarray(gray).save(place / "images" / f"{well}_d{day}.png")
                Image.fromarray(mask).save(place / "masks" / f"{well}_d{day}.png")
                table.writerow([day, well, 0.64 * mask.sum(), 0])
    model_file.save(thresholding(96), root / "model", provenance={})
    return root


def command(drawn, *words):
    return growth_agreement.main(
        ["--data", str(drawn), "--model", str(drawn / "model"), *map(str, words)]
    )


def test_drawn_spheroids_agree_and_the_page_is_written(drawn, tmp_path, capsys):
    (tmp_path / "plate-growth.md").write_text(PAGE)
    assert command(drawn, "--output", tmp_path) == 0
    printed = capsys.readouterr().out
    page = (tmp_path / "plate-growth.md").read_text()
    assert page == PAGE.replace("old", printed.rstrip("\n"))
    assert "9 images of 3 wells, 0 without an area" in page.replace("\n", " ")
    [row] = [line for line in page.splitlines() if line.startswith("| area") and "all" in line]
    assert row.split("|")[2:4][0].strip() == "9"
    assert float(row.split("|")[3].split()[0]) == pytest.approx(1, abs=0.02)
    figure = (tmp_path / "plate-growth.svg").read_text()
    assert "area, ours / theirs" in figure and "95 % limits" in figure


def test_a_page_without_markers_is_refused(drawn, tmp_path, capsys):
    (tmp_path / "plate-growth.md").write_text("# Growth\n")
    assert command(drawn, "--output", tmp_path) == 2
    assert "needs the lines <!-- measured -->" in capsys.readouterr().err
    assert not (tmp_path / "plate-growth.svg").exists()


def test_data_without_the_authors_areas_are_refused(tmp_path, capsys):
    assert growth_agreement.main(["--data", str(tmp_path)]) == 2
    assert "authors_measurements.csv" in capsys.readouterr().err
