"""Tests of dose-response fits."""

import lmfit
import numpy as np
import pytest
from scipy import stats

from spheroid_jax.plates import dose, hill

DOSES = 10 ** np.linspace(-2, 1.5, 8)
WELLS = np.repeat(DOSES, 4)


def curve(doses, top, bottom, ec50, slope):
    """The textbook formula, written independently of the package."""
    return bottom + (top - bottom) / (1 + (np.asarray(doses) / ec50) ** slope)


def noisy(seed=0, *, top=100.0, bottom=20.0, ec50=0.5, slope=1.2, sd=6.0):
    noise = np.random.default_rng(seed).standard_normal(len(WELLS))
    return curve(WELLS, top, bottom, ec50, slope) + sd * noise


def ends(estimate):
    return np.array([estimate.low, estimate.high])


@pytest.fixture(scope="module")
def plain():
    return dose.fit(WELLS, noisy())


def test_a_curve_without_noise_is_recovered_and_its_intervals_have_no_width():
    found = dose.fit(WELLS, curve(WELLS, 100, 20, 0.5, 1.2))
    values = (found.top, found.bottom, found.ec50, found.hill)
    np.testing.assert_allclose([v.value for v in values], [100, 20, 0.5, 1.2], rtol=1e-4)
    # Half of 100: (100 - 20) / (50 - 20) - 1 = 5 / 3 = (c / 0.5)^1.2.
    np.testing.assert_allclose(found.ic50.value, 0.5 * (5 / 3) ** (1 / 1.2), rtol=1e-4)
    np.testing.assert_allclose(found.ic50_level, 50, rtol=1e-4)
    assert found.ec50.high / found.ec50.low < 1.01
    assert found.effect and found.note == "" and found.r2 > 0.999999


@pytest.fixture(scope="module")
def reference():
    """The fit of lmfit to the same responses, with its own search and its own profiles."""
    response = noisy()
    given = lmfit.Parameters()
    given.add("top", 100)
    given.add("bottom", 20)
    given.add("location", np.log10(0.5))
    given.add("slope", 1.2, min=0.1, max=10)

    def residuals(p):
        v = p.valuesdict()
        return response - curve(WELLS, v["top"], v["bottom"], 10 ** v["location"], v["slope"])

    minimizer = lmfit.Minimizer(residuals, given)
    result = minimizer.minimize()
    return result, lmfit.conf_interval(minimizer, result, sigmas=[0.95])


def test_estimates_are_those_of_lmfit(plain, reference):
    result, _ = reference
    pairs = {
        "top": plain.top,
        "bottom": plain.bottom,
        "location": plain.log10_ec50,
        "slope": plain.hill,
    }
    for name, estimate in pairs.items():
        assert estimate.value == pytest.approx(result.params[name].value, rel=2e-3)
    covariance = np.array(plain.covariance)
    np.testing.assert_allclose(covariance, result.covar, rtol=0.03, atol=1e-5)
    assert plain.residual_sd == pytest.approx(np.sqrt(result.redchi), rel=1e-5)


def test_profile_intervals_are_those_of_lmfit(plain, reference):
    _, intervals = reference
    pairs = {
        "top": plain.top,
        "bottom": plain.bottom,
        "location": plain.log10_ec50,
        "slope": plain.hill,
    }
    for name, estimate in pairs.items():
        (_, low), _, (_, high) = intervals[name]
        np.testing.assert_allclose(ends(estimate), [low, high], atol=0.01 * (high - low))


def test_the_interval_of_the_ic50_is_that_of_lmfit_with_the_ic50_as_parameter(plain):
    response = noisy()
    given = lmfit.Parameters()
    given.add("top", 100)
    given.add("bottom", 20)
    given.add("half", np.log10(plain.ic50.value))
    given.add("slope", 1.2, min=0.1, max=10)

    def residuals(p):
        v = p.valuesdict()
        # (c50 / EC50)^h = (top / 2) / (top / 2 - bottom)
        odds = (v["top"] / 2) / (v["top"] / 2 - v["bottom"])
        ec50 = 10 ** v["half"] / odds ** (1 / v["slope"])
        return response - curve(WELLS, v["top"], v["bottom"], ec50, v["slope"])

    minimizer = lmfit.Minimizer(residuals, given)
    intervals = lmfit.conf_interval(minimizer, minimizer.minimize(), ["half"], sigmas=[0.95])
    (_, low), _, (_, high) = intervals["half"]
    np.testing.assert_allclose(np.log10(ends(plain.ic50)), [low, high], atol=0.01 * (high - low))


def test_the_f_test_compares_with_the_mean(plain):
    response = noisy()
    left = response - curve(
        WELLS, plain.top.value, plain.bottom.value, plain.ec50.value, plain.hill.value
    )
    squares, flat = np.sum(left**2), np.sum((response - response.mean()) ** 2)
    expected = stats.f.sf((flat - squares) / 3 / (squares / 28), 3, 28)
    assert plain.p == pytest.approx(expected, rel=1e-3)
    assert plain.r2 == pytest.approx(1 - squares / flat, rel=1e-6)


def test_a_drug_without_effect_is_a_regular_result():
    response = 100 + 10 * np.random.default_rng(5).standard_normal(len(WELLS))
    found = dose.fit(WELLS, response)
    assert not found.effect and found.p > 0.05
    assert found.note == found.ic50_note == "no effect within the doses"
    assert np.isnan([*found.ec50, *found.ic50, *found.hill]).all()
    half = stats.t.ppf(0.975, 31) * stats.sem(response)
    np.testing.assert_allclose(
        found.top, [response.mean(), response.mean() - half, response.mean() + half]
    )
    band = dose.predict(found, DOSES)
    np.testing.assert_allclose(band.high - band.low, 2 * half)


def test_equal_responses_have_no_effect():
    found = dose.fit(WELLS, np.full(len(WELLS), 7.0))
    assert (found.top.value, found.p, found.effect) == (7.0, 1.0, False)
    assert found.note == "no effect within the doses"


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_fewer_than_four_doses_have_no_fit(count):
    few = np.repeat(DOSES[:count], 5)
    found = dose.fit(few, np.linspace(1, 2, len(few)))
    assert found.note == "too few doses (4 needed)"
    assert np.isnan([*found.ec50, *found.ic50, *found.top, found.p]).all()
    assert np.isnan(dose.predict(found, DOSES).response).all()


def test_as_many_points_as_parameters_have_no_fit():
    found = dose.fit(DOSES[:4], np.array([4.0, 3.0, 2.0, 1.0]))
    assert found.note == "too few points (5 needed)"


def test_missing_responses_are_dropped_and_counted(plain):
    response = np.append(noisy(), [np.nan, np.nan])
    found = dose.fit(np.append(WELLS, [1.0, 0.01]), response)
    assert (found.n, found.n_dropped) == (32, 2)
    assert found.ec50 == plain.ec50


def test_dose_zero_is_the_top_of_the_curve():
    doses = np.append(np.zeros(40), WELLS)
    response = np.append(np.full(40, 90.0), curve(WELLS, 90, 20, 0.5, 1.2))
    found = dose.fit(doses, response, intervals=())
    assert found.top.value == pytest.approx(90, rel=1e-3)
    assert found.n_doses == 9
    assert dose.predict(found, np.zeros(1)).response[0] == pytest.approx(found.top.value)


def test_another_dose_unit_shifts_doses_only(plain):
    other = dose.fit(1000 * WELLS, noisy())
    np.testing.assert_allclose(other.ec50, 1000 * np.array(plain.ec50), rtol=1e-3)
    np.testing.assert_allclose(other.ic50, 1000 * np.array(plain.ic50), rtol=1e-3)
    np.testing.assert_allclose(other.hill, plain.hill, rtol=1e-3)


def test_another_response_unit_and_offset_scale_top_and_bottom_only(plain):
    other = dose.fit(WELLS, 1e6 * noisy())
    np.testing.assert_allclose(other.top, 1e6 * np.array(plain.top), rtol=1e-3)
    np.testing.assert_allclose(other.ec50, plain.ec50, rtol=1e-3)
    np.testing.assert_allclose(other.ic50, plain.ic50, rtol=1e-3)


def test_the_order_of_wells_does_not_matter(plain):
    order = np.random.default_rng(1).permutation(len(WELLS))
    found = dose.fit(WELLS[order], noisy()[order])
    np.testing.assert_allclose(found.ec50, plain.ec50, rtol=1e-6)


def test_a_rising_response_mirrors_a_falling_one(plain):
    rising = dose.fit(WELLS, 200 - noisy())
    np.testing.assert_allclose(rising.ec50, plain.ec50, rtol=1e-3)
    assert rising.bottom.value > rising.top.value
    # It leaves its control at 100 upwards, and never halves it.
    assert rising.ic50_note == "not reached within the doses"


def test_an_ic50_that_is_not_reached_is_at_least_something():
    found = dose.fit(WELLS, noisy(bottom=60))
    assert found.effect and found.ic50_note == "not reached within the doses"
    assert np.isnan(found.ic50.value) and found.ic50.high == np.inf
    assert 1 < found.ic50.low <= DOSES[-1]


def test_an_ic50_below_the_doses_is_at_most_something():
    found = dose.fit(WELLS, noisy(), control=250.0)
    assert found.ic50_note == "reached below the doses tested"
    assert np.isnan(found.ic50.value) and found.ic50.low == -np.inf
    assert found.ic50.high <= DOSES[0] * 1.0001
    assert found.ic50_level == 125


def test_a_given_control_sets_the_level():
    found = dose.fit(WELLS, curve(WELLS, 100, 20, 0.5, 1.0), control=120.0)
    # 20 + 80 / (1 + c / 0.5) = 60 at c = 0.5.
    assert found.ic50.value == pytest.approx(0.5, rel=1e-4)


def test_an_ec50_beyond_the_doses_is_flagged_and_bounded_on_one_side():
    found = dose.fit(WELLS, noisy(ec50=60, bottom=0, sd=1), intervals=("log10_ec50",))
    assert found.note == "outside the doses tested"
    assert found.ec50.value > DOSES[-1]
    assert found.ec50.high == np.inf and found.ec50.low > 1


def test_a_steep_curve_has_a_hill_coefficient_of_at_least_something():
    found = dose.fit(WELLS, noisy(slope=9, ec50=np.sqrt(DOSES[3] * DOSES[4]), sd=3))
    assert found.hill.high == np.inf and found.hill.low > 2
    assert DOSES[3] < found.ec50.low < found.ec50.high < DOSES[4]


def test_two_outliers_move_the_robust_fit_less():
    response = noisy(2, sd=3)
    response[[16, 20]] += 70
    plain, robust = (dose.fit(WELLS, response, robust=each) for each in (False, True))
    truth = np.log10(0.5)
    assert abs(robust.log10_ec50.value - truth) < abs(plain.log10_ec50.value - truth) / 3
    assert robust.log10_ec50.low < truth < robust.log10_ec50.high
    assert robust.residual_sd < plain.residual_sd / 2
    assert robust.robust and not plain.robust


def test_a_robust_fit_of_normal_noise_is_almost_the_plain_fit(plain):
    robust = dose.fit(WELLS, noisy(), robust=True)
    width = plain.log10_ec50.high - plain.log10_ec50.low
    assert abs(robust.log10_ec50.value - plain.log10_ec50.value) < width / 4
    assert 0.6 < (robust.log10_ec50.high - robust.log10_ec50.low) / width < 1.5


def test_the_band_is_that_of_the_delta_method(plain):
    band = dose.predict(plain, DOSES)
    parameters = [e.value for e in (plain.top, plain.bottom, plain.log10_ec50, plain.hill)]

    def at(p):
        return curve(DOSES, p[0], p[1], 10 ** p[2], p[3])

    np.testing.assert_allclose(band.response, at(parameters))
    by = np.stack([(at(parameters + h) - at(parameters - h)) / 2e-5 for h in 1e-5 * np.eye(4)])
    variance = np.einsum("pd,pq,qd->d", by, np.array(plain.covariance), by)
    half = stats.t.ppf(0.975, 28) * np.sqrt(variance)
    np.testing.assert_allclose(band.high - band.response, half, rtol=1e-4)
    np.testing.assert_allclose(band.response - band.low, half, rtol=1e-4)


def test_intervals_that_are_not_wanted_are_nan():
    found = dose.fit(WELLS, noisy(), intervals=("log10_ec50",))
    assert np.isfinite([*found.ec50]).all()
    assert np.isnan([*ends(found.ic50), *ends(found.top), *ends(found.hill)]).all()
    assert np.isfinite(found.ic50.value)


@pytest.mark.parametrize(
    ("doses", "responses", "message"),
    [
        ([1.0, 2.0], [np.inf, np.nan], "infinite"),
        ([1.0, -2.0], [1.0, 2.0], "at least 0, and has -2.0"),
        ([1.0, np.nan], [1.0, 2.0], "at least 0, and has nan"),
        ([1.0, 2.0], [1.0, np.inf], "infinite"),
    ],
)
def test_wrong_arguments_are_told(doses, responses, message):
    with pytest.raises(ValueError, match=message):
        dose.fit(np.array(doses), np.array(responses))


def test_intervals_of_ec50_and_ic50_cover_the_truth():
    """Intervals that cover 80 % would fail here with a probability of about 95 %."""
    covered = []
    for seed in range(20):
        rng = np.random.default_rng([7, seed])
        location, bottom = rng.uniform(-1, 0.5), rng.uniform(0.05, 0.35)
        true = curve(WELLS, 1, bottom, 10**location, 1.2)
        response = true * np.exp(0.12 * rng.standard_normal(len(WELLS)))
        found = dose.fit(WELLS, response, intervals=("log10_ec50", "ic50"))
        ic50 = 10**location * (0.5 / (0.5 - bottom)) ** (1 / 1.2)
        covered += [
            found.log10_ec50.low <= location <= found.log10_ec50.high,
            found.ic50.low <= ic50 <= found.ic50.high,
        ]
    assert 0.89 <= np.mean(covered) <= 1.0


def test_the_gradient_at_dose_zero_is_that_of_the_top():
    by = hill.gradient(np.array([-np.inf]), 1.0, 0.2, 0.0, 1.0)
    np.testing.assert_array_equal(by, [[1, 0, 0, 0]])
