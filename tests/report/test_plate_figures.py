"""Tests of the figures of a plate: their SVG as text, their places by number, their PNG."""

import io
import math
import re
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from PIL import Image

from spheroid_jax.report import heat_map, journal, plate_figures, survival

NAN = math.nan
HOSTILE = "$x_1$ & <b>5 %</b> \\alpha"
LONG = "Doxorubicin hydrochloride, batch 2026-03, HCT116 p53-/- clone B7, seeded with 500 cells "
DOSES = np.repeat([0, 0.01, 0.1, 1, 10], 3)


def texts(data):
    """The texts of an SVG file, which must be well-formed."""
    root = ElementTree.fromstring(data)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    return ["".join(node.itertext()).strip() for node in root.iter() if node.tag.endswith("}text")]


def size_mm(data):
    """Width and height of an SVG file in millimetres."""
    root = ElementTree.fromstring(data)
    return [float(root.attrib[side].removesuffix("pt")) / 72 * 25.4 for side in ("width", "height")]


def panels(data):
    return len(re.findall(rb'<g id="axes_\d+">', data))


def dose_curve(name="drug", doses=DOSES, **options):
    responses = 100 / (1 + doses)
    grid = np.geomspace(doses[doses > 0].min(), doses.max(), 20) if doses.any() else np.array([])
    fit = 100 / (1 + grid)
    fields = {"ec50": (1.0, 0.5, 2.0), "control": (100.0, 90.0, 110.0), "n": "n = 3 experiments"}
    return plate_figures.DoseCurve(
        name, "µM", doses, responses, grid, fit, fit - 2, fit + 2, **fields | options
    )


def growth(name="drug", times=3, wells=4, **options):
    at = np.linspace(0, 10, times)
    sizes = 1e7 * np.exp(0.1 * at) * np.linspace(0.9, 1.1, wells)[:, np.newaxis]
    return plate_figures.Growth(name, at, sizes, sizes.mean(axis=0), at, sizes[0], **options)


def group(name="4 Gy", **options):
    fields = {
        "times": np.array([2.0, 5.0]),
        "probability": np.array([0.75, 0.375]),
        "low": np.array([0.2, NAN]),
        "high": np.array([0.9, NAN]),
        "observed": np.array([2.0, 3.0, 5.0, 8.0]),
        "censored": np.array([False, True, False, True]),
    }
    return survival.Survival(name, **fields | options)


def plate(shape=(8, 12), name="plate 1", **options):
    fields = {
        "values": np.arange(1.0, 1 + math.prod(shape)).reshape(shape),
        "refused": np.zeros(shape, bool),
        "excluded": np.zeros(shape, bool),
        "roles": np.full(shape, "sample", object),
    }
    return heat_map.Plate(name, **fields | options)


def doses(*curves):
    return plate_figures.dose_curves(curves, response="volume (% of control)")


def growths(*conditions, **options):
    return plate_figures.growth_panels(conditions, size="volume (µm³)", time="time (d)", **options)


def steps(*groups):
    return survival.survival_steps(groups, probability="not regrown", time="time (d)")


def draw(name):
    """Each figure with one thing of this name."""
    return (
        doses(dose_curve(name)),
        growths(growth(name)),
        steps(group(name)),
        heat_map.heat_map(plate(name=name), value="volume (µm³)"),
    )


@pytest.fixture(scope="module")
def drawn():
    return draw("drug")


@pytest.fixture(scope="module")
def long():
    """Figures of 12 things with long names."""
    names = [f"{LONG}{n}" for n in range(12)]
    return (
        doses(*[dose_curve(name) for name in names]),
        growths(*[growth(name, times=30) for name in names]),
        steps(*[group(name) for name in names]),
    )


# All figures.


def test_names_are_shown_as_they_are():
    for figure in draw(HOSTILE):
        assert any(HOSTILE in text for text in texts(figure.svg))


def test_a_png_has_300_dots_per_inch_and_is_not_empty(drawn):
    for figure in drawn:
        image = Image.open(io.BytesIO(figure.png))
        assert image.width == pytest.approx(85 / 25.4 * 300, abs=1)
        assert len(np.unique(np.asarray(image.convert("L")))) > 20


def test_the_same_figures_are_the_same_bytes(drawn):
    with matplotlib.rc_context({"font.size": 30, "axes.grid": True}):
        assert draw("drug") == drawn


def test_axes_have_units_and_panels_have_n(drawn):
    curve, growing, regrown, mapped = drawn
    assert {"dose (µM)", "volume (% of control)", "n = 3 experiments"} <= set(texts(curve.svg))
    assert {"time (d)", "volume (µm³)"} <= set(texts(growing.svg))
    assert {"time (d)", "not regrown (%)", "drug (n = 4)"} <= set(texts(regrown.svg))
    assert "volume (µm³)" in texts(mapped.svg)
    assert not any("refused" in text for text in texts(mapped.svg))
    noted = growths(growth(n="n = 4 wells", note="doubling time 1.9 d"))
    assert {"n = 4 wells", "doubling time 1.9 d"} <= set(texts(noted.svg))


def inside(figure):
    """Whether nothing was drawn up to the edge of the picture, where it would be cut."""
    gray = np.asarray(Image.open(io.BytesIO(figure.png)).convert("L"))
    edges = gray[:2], gray[-2:], gray[:, :2], gray[:, -2:]
    return all((edge == 255).all() for edge in edges)


def test_long_names_and_many_panels_stay_inside_the_page(drawn, long):
    for figure in (*drawn, *long):
        assert inside(figure)
        assert size_mm(figure.svg)[0] <= journal.PAGE_MM + 0.1
    assert [panels(figure.svg) for figure in long] == [12, 12, 2]


def test_names_that_differ_at_their_end_are_told_apart(long):
    for figure in long:
        ends = {text.split(" (n")[0].split()[-1] for text in texts(figure.svg) if text}
        assert {str(n) for n in range(12)} <= ends


# Dose-response curves.


@pytest.mark.parametrize("count", [2, 5])
def test_each_compound_has_a_panel(count):
    figure = doses(*[dose_curve(f"drug {n}") for n in range(count)])
    assert panels(figure.svg) == count
    assert {f"drug {n}" for n in range(count)} <= set(texts(figure.svg))


def test_the_zero_dose_has_its_own_place_only_if_there_is_one():
    labels = tick_labels(doses(dose_curve()).svg)
    assert labels[0] == "0" and "0.01" in labels and "10" in labels
    assert "0" not in tick_labels(doses(dose_curve(doses=DOSES[3:])).svg)


def tick_labels(data):
    """Labels of the first horizontal axis, from the left."""
    root = ElementTree.fromstring(data)
    (axis,) = (g for g in root.iter() if g.get("id") == "matplotlib.axis_1")
    ticks = [g for g in axis.iter() if (g.get("id") or "").startswith("xtick")]
    return ["".join(tick.itertext()).strip() for tick in ticks if "".join(tick.itertext()).strip()]


def test_a_curve_without_fit_shows_its_wells_and_why():
    none = np.array([])
    curve = dose_curve(note="no effect within the doses", ec50=(NAN, NAN, NAN))
    shown = texts(doses(curve._replace(grid=none, fit=none, low=none, high=none)).svg)
    assert "no effect within the doses" in shown
    assert {"a well", "mean of the wells"} <= set(shown)
    assert not any("fit" in text or "EC50" in text for text in shown)


def test_ec50_and_ic50_are_written_with_their_intervals():
    shown = texts(doses(dose_curve(ic50=(3.21, 1.0, math.inf))).svg)
    assert {"EC50 1 µM [0.5, 2]", "IC50 3.21 µM [1, ∞)"} <= set(shown)


def test_compounds_of_several_units_have_their_own_axis():
    shown = texts(doses(dose_curve(), dose_curve()._replace(unit="nM")).svg)
    assert {"dose (µM)", "dose (nM)"} <= set(shown)


def test_a_missing_well_is_not_drawn_as_zero():
    curve = dose_curve()
    missing = np.where(DOSES == 0.1, NAN, curve.responses)

    def marks(responses):
        return doses(curve._replace(responses=responses)).svg.count(b"<use ")

    assert marks(curve.responses) - marks(missing) == 3 + 1  # Three wells and their mean.


def test_figures_of_nothing_are_refused():
    with pytest.raises(ValueError, match="at least 1 panel"):
        doses()
    with pytest.raises(ValueError, match="drug: no dose above 0"):
        doses(dose_curve(doses=np.zeros(3)))
    with pytest.raises(ValueError, match="no condition has a size above 0"):
        growths(growth()._replace(sizes=np.full((4, 3), NAN)))
    with pytest.raises(ValueError, match="no spheroid of any group"):
        steps()
    with pytest.raises(ValueError, match="no spheroid of 4 Gy"):
        steps(group(observed=np.array([]), censored=np.array([], bool)))


# Ticks and texts.


@pytest.mark.parametrize("low", [1e-6, 0.013, 0.3, 1, 7, 2.2e7])
@pytest.mark.parametrize("ratio", [1.05, 1.3, 2, 8, 30, 1e3, 1e7, 1e12])
def test_a_logarithmic_axis_has_two_to_five_ticks_inside(low, ratio):
    ticks = journal.log_ticks(low, low * ratio)
    assert 2 <= len(ticks) <= 5
    assert low * 0.999 <= ticks[0] and ticks[-1] <= low * ratio * 1.001
    assert (np.diff(ticks) > 0).all()
    labels = [journal.number(tick) for tick in ticks]
    assert len(set(labels)) == len(labels)


def test_numbers_are_written_as_a_journal_does():
    values = [0, 0.001, 0.5, 1500, 1e5, 2.5e7, 1e-5, 3e-12]
    written = ["0", "0.001", "0.5", "1500", "10⁵", "2.5×10⁷", "10⁻⁵", "3×10⁻¹²"]
    assert [journal.number(value) for value in values] == written


def test_a_fitted_text_has_no_more_lines_than_allowed_and_keeps_its_ends():
    for characters in (10, 17, 40):
        for lines in (1, 2, 3):
            found = journal.fitted(LONG + "end", characters, lines).split("\n")
            assert len(found) <= lines and max(map(len, found)) <= characters
            assert found[0].startswith("Doxo") and found[-1].endswith("end")
    assert journal.fitted("short", 10) == "short"
    assert journal.fitted("", 10) == ""


def test_a_title_has_the_width_of_its_panel_in_wide_and_in_narrow_letters():
    for letter in ("W", "i"):
        title = journal.title(f"{letter * 9} " * 9, [f"{letter * 9} " * 9], 40)
        rows = title.name.split("\n")
        assert len(rows) == 3 and max(map(len, rows)) < (17 if letter == "W" else 60)
    assert journal.title("iiii " * 7, [], 40).name.count("\n") == 0
    assert journal.title("drug", ["EC50 0.00106 µM [0.000754, 0.00148]"], 37.5).facts.count("\n")


# Growth.


@pytest.mark.parametrize("times", [3, 30])
def test_each_well_and_the_mean_have_a_line(times):
    def curves(**options):
        data = growths(growth(times=times, **options)).svg
        return len(re.findall(rb'<g id="line2d_\d+">', data))

    assert curves(wells=6) - curves(wells=4) == 2


def test_the_mean_of_the_control_is_drawn_in_the_other_panels():
    pair = growth("control"), growth("drug")
    shown = texts(growths(*pair, reference="control", fit="Gompertz fit").svg)
    assert {"a well", "mean of the wells", "Gompertz fit", "mean of control"} <= set(shown)
    assert "mean of control" not in texts(growths(*pair).svg)
    assert "mean of control" not in texts(growths(pair[0], reference="control").svg)


# Survival.


def test_the_numbers_at_risk_count_who_is_not_yet_gone():
    """Four spheroids that end at 2, 3, 5 and 8, at the times 0, 2, 4, 6 and 8."""
    assert at_risk(steps(group()).svg) == ["4", "4", "2", "1", "1"]


def at_risk(data):
    """The numbers of a table of one row, from the left."""
    root = ElementTree.fromstring(data)
    table = next(g for g in root.iter() if g.get("id") == "axes_2")
    found = [node for node in table.iter() if node.tag.endswith("}text")]
    return [node.text for node in found if node.text and node.text.isdigit()]


def test_censored_spheroids_are_ticked():
    censored, none = steps(group()), steps(group(censored=np.zeros(4, bool)))
    assert "censored" in texts(censored.svg) and "censored" not in texts(none.svg)
    assert censored.svg.count(b"<use ") > none.svg.count(b"<use ")


def test_groups_without_any_event_can_be_drawn():
    none = np.array([])
    quiet = group(times=none, probability=none, low=none, high=none, censored=np.ones(4, bool))
    assert at_risk(steps(quiet).svg) == ["4", "4", "2", "1", "1"]


def test_bands_are_drawn_for_few_groups_only():
    assert "band: 95 % interval" in texts(steps(*[group(f"{n} Gy") for n in range(4)]).svg)
    assert "band: 95 % interval" not in texts(steps(*[group(f"{n} Gy") for n in range(5)]).svg)


# Heat maps.


@pytest.mark.parametrize(
    ("shape", "last", "width"),
    [
        ((2, 3), "B", 85),
        ((4, 6), "D", 85),
        ((8, 12), "H", 85),
        ((16, 24), "P", 180),
        ((32, 48), "AE", 180),
    ],
)
def test_plates_of_all_formats_have_their_rows_and_columns(shape, last, width):
    figure = heat_map.heat_map(plate(shape), value="volume (µm³)")
    shown = texts(figure.svg)
    assert {"A", last, "1"} <= set(shown) and heat_map.row_name(shape[0]) not in shown
    assert inside(figure) and size_mm(figure.svg)[0] == pytest.approx(width, abs=0.1)


def test_rows_of_a_plate_of_1536_wells_go_to_af():
    names = [heat_map.row_name(row) for row in (0, 25, 26, 31, 51, 52)]
    assert names == ["A", "Z", "AA", "AF", "AZ", "BA"]


def test_refused_excluded_empty_and_control_wells_are_told():
    values, roles = np.full((8, 12), 5.0), np.full((8, 12), "sample", object)
    refused, excluded = np.zeros((2, 8, 12), bool)
    values[0, :3] = NAN
    refused[0, :2], excluded[7, 7] = True, True
    roles[:, 0], roles[:3, 11], roles[0, 2] = "negative", "positive", "blank"
    wells = plate(values=values, refused=refused, excluded=excluded, roles=roles)
    shown = set(texts(heat_map.heat_map(wells, value="x").svg))
    kinds = {"refused (2)", "excluded (1)", "no value (1)", "blank (1)"}
    assert kinds | {"negative control (8)", "positive control (3)"} <= shown


def test_the_value_of_a_refused_well_has_no_colour():
    refused = np.zeros((8, 12), bool)
    refused[3, 4] = True
    data = heat_map.heat_map(plate(refused=refused), value="x").svg
    values = plate().values
    values[3, 4] = 1e9
    assert data == heat_map.heat_map(plate(values=values, refused=refused), value="x").svg


def test_one_strange_well_does_not_change_the_colours_of_the_others():
    values = plate().values
    assert heat_map._limits(values.ravel(), None) == (1, 96)
    assert heat_map._limits(np.append(values, 1e9), None) == (1, 96)
    assert heat_map._limits(np.array([90.0, 120]), 100) == (80, 120)
    low, high = heat_map._limits(np.full(3, 5.0), None)
    assert low < 5 < high
    assert heat_map._limits(np.array([]), None) == (0, 1)


def test_arrays_of_different_shapes_are_refused():
    wells = plate(roles=np.full((4, 6), "sample", object), name="P7")
    with pytest.raises(ValueError, match="P7: arrays of shapes"):
        heat_map.heat_map(wells, value="x")
