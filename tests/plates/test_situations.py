"""Tests of plates as they come: several controls, lines, plates and times, and missing controls."""

import numpy as np
import pytest
from plate_tables import write_results

from spheroid_jax.plates import analysis, conditions, methods, pictures
from spheroid_jax.plates.options import PlateOptions
from spheroid_jax.plates.series import groups

HEADING = "plate,well,cell_line,treatment,concentration,concentration_unit,role"
DOSES = (0.1, 0.3, 1, 3, 10)


def well(plate, line, treatment, dose, role, size, hours=(96,)):
    """One well of a map with its size at each hour; None: refused."""
    return plate, line, treatment, dose, role, size, hours


def control(plate, size: float | None = 100.0, *, line="", name="DMSO", hours=(96,)):
    return [
        well(plate, line, name, "", "negative", size and size * noise, hours)
        for noise in (0.96, 1, 1.04)
    ]


def drug(plate, *, line="", name="drug", scale=1.0, hours=(96,)):
    return [
        well(plate, line, name, dose, "sample", scale * noise * 100 / (1 + dose), hours)
        for dose in DOSES
        for noise in (0.97, 1.03)
    ]


def run(folder, wells, **options):
    """Analyses a map and the tables of its images."""
    lines, images, places = [HEADING], [], {}
    for plate, line, treatment, dose, role, size, hours in wells:
        number = places[plate] = places.get(plate, -1) + 1
        name = f"{'ABCDEFGH'[number // 12]}{number % 12 + 1:02d}"
        unit = "uM" if dose != "" else ""
        quoted = treatment.replace('"', '""')
        lines.append(f'{plate},{name},{line},"{quoted}",{dose},{unit},{role}')
        for hour in hours:
            image = {"image": f"{plate}/{hour}/{name}.png", "well": name, "hour": str(hour)}
            refused = {"verdict": "unsharp", "reason": "not sharp"}
            images.append(image | (refused if size is None else {"volumes": [size]}))
    folder.mkdir(exist_ok=True)
    (folder / "map.csv").write_text("\n".join(lines) + "\n")
    results = write_results(folder / "results", images)
    return analysis.plate(results, folder / "map.csv", PlateOptions(**options))


def condition(found, label):
    (each,) = [each for each in found.conditions if each.group.key.label == label]
    return each


def test_of_two_negative_controls_the_one_with_most_wells_is_the_reference_and_it_is_said(tmp_path):
    medium = control("p", 200.0, name="medium")[:2]
    found = run(tmp_path, control("p") + medium + drug("p"))
    assert condition(found, "DMSO").percent.mean.value == pytest.approx(100)
    assert condition(found, "medium").percent.mean.value == pytest.approx(196)
    comparison = condition(found, "medium").comparison
    assert comparison is not None and comparison.second == "DMSO"
    assert found.plates[0].negative.percent == pytest.approx(4)
    (warning,) = [each for each in found.warnings if "2 negative controls" in each]
    assert "DMSO has most wells and is the reference; medium is compared with it" in warning


def test_a_plate_with_only_the_other_control_uses_it(tmp_path):
    medium = control("q", 200.0, name="medium")[:2]
    found = run(tmp_path, control("p") + drug("p") + medium + drug("q", scale=2))
    assert condition(found, "drug 1 uM").percent.mean.value == pytest.approx(50, rel=0.02)


def test_quality_of_a_plate_with_two_cell_lines_is_that_of_each_line(tmp_path):
    def of(line, size):
        kill = [well("p", line, "kill", "", "positive", size * n, (96,)) for n in (0.09, 0.11)]
        return control("p", size, line=line) + kill + drug("p", line=line, scale=size / 100)

    both = run(tmp_path / "both", of("big", 1000.0) + of("small", 100.0)).plates[0]
    one = run(tmp_path / "one", of("big", 1000.0)).plates[0]
    assert both.negative.percent == pytest.approx(one.negative.percent, rel=0.2)
    assert both.z_prime.value == pytest.approx(one.z_prime.value, abs=0.05)
    assert one.negative.percent == pytest.approx(4)


def test_the_name_of_the_cell_line_stands_only_where_there_are_several(tmp_path):
    one = run(tmp_path / "one", control("p", line="HCT") + drug("p", line="HCT"))
    assert one.drugs[0].label == "drug" and one.answers[1].startswith("DMSO (negative control): ")
    more = control("p", line="U87") + drug("p", line="U87")
    two = run(tmp_path / "two", control("p", line="HCT") + drug("p", line="HCT") + more)
    assert [each.label for each in two.drugs] == ["drug (HCT)", "drug (U87)"]
    assert two.answers[2].startswith("HCT: DMSO (negative control): ")


def test_a_positive_control_of_the_drug_itself_is_a_condition_of_its_own(tmp_path):
    positive = [well("p", "", "drug", 10, "positive", 5 * n, (96,)) for n in (0.9, 1, 1.1)]
    found = run(tmp_path, control("p") + drug("p") + positive)
    sample, other = (condition(found, f"drug 10 uM ({role})") for role in ("sample", "positive"))
    ratios = [each.comparison and each.comparison.change.value for each in (sample, other)]
    assert ratios == pytest.approx([1 / 11, 0.05], rel=0.02)
    assert any(each.startswith("drug 10 uM (positive control): ") for each in found.answers)


@pytest.mark.parametrize("size", [None, "none"])
def test_a_plate_without_a_measured_control_is_said_and_is_no_experiment(tmp_path, size):
    left = control("tue", None) if size is None else []
    found = run(tmp_path, control("mon") + drug("mon") + left + drug("tue"))
    answer = found.answers[0]
    assert "EC50 1.0 uM (in 1 of 2 experiments)" in answer
    assert "10 wells of one experiment" in answer and "n = 2" not in answer
    said = "no negative control has a size at day 4" if size is None else "no well with the role"
    assert any("tue" in each and said in each for each in found.warnings)


def test_one_negative_control_is_said(tmp_path):
    found = run(tmp_path, control("p")[:1] + drug("p"))
    assert "plate p: one negative control; its error is in no interval" in found.warnings


def test_without_a_control_or_a_size_no_curve_is_blamed_on_the_doses(tmp_path):
    for wells in (drug("p"), [(*each[:5], None, (96,)) for each in control("p") + drug("p")]):
        (answer,) = [each for each in run(tmp_path, wells).answers if each.startswith("drug")]
        assert answer.startswith("drug: no size and control to compare")


def test_plates_imaged_some_minutes_apart_are_compared_and_it_is_said(tmp_path):
    early, late = (0, 96), (0, 96.2)
    wells = control("mon", hours=early) + drug("mon", hours=early)
    found = run(tmp_path, wells + control("tue", hours=late) + drug("tue", hours=late), at_h=96.3)
    assert "n = 2 experiments" in found.answers[0]
    assert "images of different wells up to 0.2 h apart count as of one time" in found.warnings
    assert found.times.every == (0, 96)


def test_doses_that_differ_by_rounding_are_one_dose(tmp_path):
    rounded = [(p, n, t, 0.1 + 0.2, *rest) for p, n, t, dose, *rest in drug("p") if dose == 0.3]
    found = run(tmp_path, control("p") + drug("p") + rounded)
    assert len(condition(found, "drug 0.3 uM").group.wells) == 4
    assert np.unique(found.drugs[0].samples.dose).tolist() == list(DOSES)


def test_a_size_of_zero_is_missing_and_not_an_error(tmp_path):
    found = run(tmp_path, control("p") + drug("p") + [well("p", "", "drug", 30, "sample", 0.0)])
    assert any(row.reason == "the size is 0" for row in found.joined.rows)
    assert "drug: " in found.answers[0]


def test_a_dose_beyond_those_tested_is_no_number_in_the_answer(tmp_path):
    low = [(*each[:5], each[5] / 10, each[6]) for each in drug("p", scale=0.5)]
    answer = run(tmp_path, control("p") + low).answers[0]
    assert "EC50 below 0.1 uM, the lowest dose" in answer
    assert "outside the doses tested" not in answer and "unbounded" not in answer


def test_the_rate_is_that_of_the_volume_whatever_is_measured_and_the_methods_say_so(tmp_path):
    # A diameter that doubles in 72 h: its volume doubles in one day.
    rows = [("p", "", "DMSO", "", "negative", 100.0, (0, 36, 72))] * 3
    found = run(tmp_path, rows)
    series = [one._replace(size=one.size * 2 ** (one.time_h / 72)) for one in found.series]
    options = PlateOptions(measure="equivalent_diameter")
    times = found.times
    (grown,) = conditions.analyse(groups(series), series, times, options)
    assert grown.rate is not None
    assert grown.rate.doubling_days.value == pytest.approx(1)
    text = methods.paragraph(found._replace(options=options))
    assert "growth rates of the volume were 3 times the slopes of linear regressions" in text
    assert "regrown" not in text and "EC50" not in text


def test_figures_of_treatments_with_equal_plain_names_have_names_of_their_own(tmp_path):
    hours = (0, 24, 48, 72, 96)
    drugs = [each for name in ("a b", "A-b") for each in drug("p", name=name, hours=hours)]
    found = run(tmp_path, control("p", hours=hours) + drugs)
    course = np.array([1, 0.5, 1.2, 1.5, 2.0])
    series = [one._replace(size=one.size * course) for one in found.series]
    grown = conditions.analyse(groups(series), series, found.times, found.options)
    found = found._replace(series=tuple(series), conditions=tuple(grown))
    names = [name for name, _, _ in pictures.draw(found)]
    assert {"regrowth_A_b", "regrowth_a_b_2"} <= set(names) and len(set(names)) == len(names)
