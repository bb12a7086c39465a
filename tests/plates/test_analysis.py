"""Tests of the analysis of plates, from tables to answers, against the truth of a drawn plate."""

import math

import numpy as np
import pytest
from plate_tables import write_plate, write_results

from spheroid_jax.plates import analysis, observations
from spheroid_jax.plates.options import PlateOptions
from spheroid_jax.synthetic import plate as drawn


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    """The analysis of one experiment."""
    return analysis.plate(*write_plate(tmp_path_factory.mktemp("one")))


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    """The analysis of three experiments."""
    names = ("a1", "b2", "c3")
    return analysis.plate(*write_plate(tmp_path_factory.mktemp("three"), experiments=names))


def condition(found, label):
    (each,) = [each for each in found.conditions if each.group.key.label == label]
    return each


def test_ec50_and_growth_rate_of_the_drawn_plate_are_recovered(one):
    active, inactive = one.drugs
    assert active.ec50.dose.low < drawn.EC50_UM < active.ec50.dose.high
    assert active.ec50.dose.value == pytest.approx(drawn.EC50_UM, rel=0.25)
    assert not inactive.response.effect and not inactive.gr.effect
    rate = condition(one, "DMSO").rate.rate_per_day
    assert rate.value == pytest.approx(drawn.RATE_PER_DAY, rel=0.03)


def test_gr50_is_that_of_the_true_rates(one):
    doses = np.geomspace(0.01, 100, 20_000)
    rates = np.array([math.log(drawn.response(dose)) / 6 for dose in doses]) + drawn.RATE_PER_DAY
    true = doses[np.argmin(np.abs(2 ** (rates / drawn.RATE_PER_DAY) - 1.5))]
    assert one.drugs[0].gr50.dose.value == pytest.approx(true, rel=0.1)


def test_percents_are_of_the_same_plate(tmp_path):
    # Plate b is twice as large: its wells are 50 % of its own control, and 100 % of the other's.
    lines = ["plate,well,role,treatment"]
    images = []
    for name, factor in (("a", 1), ("b", 2)):
        lines += [f"{name},A0{n},negative,DMSO" for n in (1, 2)]
        lines += [f"{name},A0{n},sample,drug" for n in (3, 4)]
        sizes = (100, 102, 50, 51)
        for n, size in enumerate(sizes, start=1):
            image = {"image": f"{name}/A0{n}.png", "well": f"A0{n}", "volumes": [factor * size]}
            images.append(image)
    (tmp_path / "map.csv").write_text("\n".join(lines))
    found = analysis.plate(write_results(tmp_path / "results", images), tmp_path / "map.csv")
    drug = condition(found, "drug")
    assert drug.percent.mean.value == pytest.approx(50)
    assert (drug.percent.n, drug.percent.unit) == (2, "experiments")


def test_a_well_that_is_missing_in_the_map_is_no_control(tmp_path):
    # The known fault: wells that are not in the map counted as controls, and 100 % became 55 %.
    whole = analysis.plate(*write_plate(tmp_path / "whole", days=(6,)))
    left = ("B08", "C08", "D08")
    found = analysis.plate(*write_plate(tmp_path / "part", days=(6,), leave=left))
    control = condition(found, "DMSO")
    assert control.percent.mean.value == pytest.approx(100)
    assert control.size == condition(whole, "DMSO").size
    assert found.joined.unmapped == ("one B08", "one C08", "one D08")
    assert any("3 wells (one B08, one C08, one D08)" in each for each in found.warnings)


def test_an_inactive_drug_is_an_answer_and_not_an_error(one):
    (answer,) = [each for each in one.answers if each.startswith(drawn.INACTIVE)]
    assert "no effect within 0.03 to 30 uM" in answer


def test_a_sample_of_dose_zero_stays_a_sample(tmp_path):
    results, wells = write_plate(tmp_path, days=(6,))
    wells.write_text(wells.read_text().replace(",0.03,uM", ",0,uM"))
    found = analysis.plate(results, wells)
    zero = condition(found, f"{drawn.ACTIVE} 0 uM")
    assert zero.group.key.role == "sample" and len(zero.group.wells) == 3
    assert found.drugs[0].ec50.dose.low < drawn.EC50_UM < found.drugs[0].ec50.dose.high


def test_refused_wells_are_counted_and_a_rise_with_dose_is_a_warning(three):
    active = three.drugs[0]
    assert active.refusals.refused.sum() == 3
    (warning,) = [each for each in three.warnings if "refused wells rise with dose" in each]
    assert "the drug may dissolve spheroids; refused wells are missing, not zero" in warning
    assert "3 wells refused" in three.answers[0]


def test_n_is_experiments_where_there_are_several_else_wells(one, three):
    assert "n = 3 experiments" in three.answers[0]
    assert "21 wells of one experiment; 1 well refused" in one.answers[0]
    assert (three.drugs[0].ec50.n, len(three.drugs[0].by_experiment)) == (3, 3)
    assert condition(three, "DMSO").size.n == 3
    assert condition(one, "DMSO").size.n == 6


def test_one_time_gives_no_growth_and_says_so(tmp_path):
    found = analysis.plate(*write_plate(tmp_path, days=(6,)))
    assert found.drugs[0].gr is None and found.conditions[0].rate is None
    assert any("all images are of one time" in each for each in found.warnings)
    assert found.drugs[0].ec50.dose.value == pytest.approx(drawn.EC50_UM, rel=0.3)


def test_without_a_negative_control_nothing_is_compared_and_it_is_said(tmp_path):
    results, wells = write_plate(tmp_path, days=(6,))
    wells.write_text(wells.read_text().replace(",negative,", ",positive,"))
    found = analysis.plate(results, wells)
    assert any("no negative control for the cell line line" in each for each in found.warnings)
    assert all(math.isnan(each.percent.mean.value) for each in found.conditions)
    assert all(each.comparison is None for each in found.conditions)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"t0_h": 5}, "--t0 5: no image at this hour; there are 0, 48, 96, 144"),
        ({"at_h": 200}, "--at 200: no image at this hour"),
        ({"t0_h": 96, "at_h": 48}, "--at 48 is before --t0 96"),
    ],
)
def test_a_time_without_images_is_refused_with_the_times_there_are(tmp_path, options, problem):
    with pytest.raises(analysis.PlateError) as error:
        analysis.plate(*write_plate(tmp_path), PlateOptions(**options))
    assert problem in str(error.value)


def test_a_treatment_that_shrinks_spheroids_has_regrowth_and_others_do_not(tmp_path, one):
    assert all(each.curve is None for each in one.conditions)
    sizes = {"A01": (1, 2, 4, 8, 16), "A02": (10, 5, 6, 12, 24), "A03": (10, 5, 4, 3, 2)}
    images = [
        {"image": f"d{day}/{well}.png", "well": well, "day": str(day), "volumes": [size]}
        for well, of_well in sizes.items()
        for day, size in enumerate(of_well)
    ]
    lines = ["well,role,treatment,concentration,concentration_unit", "A01,negative,none,,"]
    lines += ["A02,sample,rays,2,Gy", "A03,sample,rays,20,Gy"]
    (tmp_path / "map.csv").write_text("\n".join(lines))
    found = analysis.plate(write_results(tmp_path / "results", images), tmp_path / "map.csv")
    regrown = {
        each.group.key.label: [(event.after_h, event.observed) for event in each.regrown]
        for each in found.conditions
    }
    assert regrown["rays 2 Gy"] == [(72.0, True)]
    assert regrown["rays 20 Gy"] == [(96.0, False)]


def test_results_do_not_depend_on_the_order_of_images(tmp_path, one):
    results, wells = write_plate(tmp_path)
    for name in ("images.csv", "measurements.csv"):
        heading, *rows = (results / name).read_text("utf-8-sig").splitlines()
        (results / name).write_text("\n".join([heading, *rows[::-1]]) + "\n", "utf-8-sig")
    again = analysis.plate(results, wells)
    assert again.answers == one.answers


def test_a_folder_without_tables_is_named(tmp_path):
    _, wells = write_plate(tmp_path)
    with pytest.raises(observations.ObservationsError, match=r"no images\.csv"):
        analysis.plate(tmp_path / "nothing", wells)
