"""Tests of the exponential, logistic and Gompertz fits against lmfit and by simulation."""

import math
import types
from importlib.machinery import SourceFileLoader

import lmfit
import numpy as np
import pytest
import statsmodels.api as sm

from spheroid_jax.plates import growth_models

DAYS = np.arange(14.0)
HOURS = 24 * DAYS
V0, VMAX = 1e6, 1e7


def exponential(days, rate=0.2):
    return V0 * np.exp(rate * days)


def logistic(days, rate=0.6):
    return VMAX / (1 + (VMAX / V0 - 1) * np.exp(-rate * days))


def gompertz(days, alpha=0.25):
    return V0 * np.exp(np.log(VMAX / V0) * (1 - np.exp(-alpha * days)))


CURVES = {"exponential": exponential, "logistic": logistic, "gompertz": gompertz}
QUANTITIES = ("size_0", "rate_per_day", "size_max", "initial_rate_per_day")


def noisy(rng, curve, noise=0.08, days=DAYS):
    return CURVES[curve](days) * np.exp(rng.normal(0, noise, len(days)))


def module_without_type_checks():
    """Returns a copy of the module whose functions run at full speed, for many fits."""
    loader = SourceFileLoader("plain_growth_models", growth_models.__file__)
    module = types.ModuleType(loader.name)
    loader.exec_module(module)
    return module


def reference(model, sizes):
    """Fits by lmfit, once for each choice of parameters, and returns intervals by `QUANTITIES`."""
    ways = {
        "size_0": ("start", "rate", "rise"),
        "rate_per_day": ("start", "rate", "rise"),
        "size_max": ("top", "rate", "rise"),
        "initial_rate_per_day": (
            ("start", "initial", "rate") if model == "gompertz" else ("start", "initial", "extra")
        ),
    }
    named = {"size_0": "start", "rate_per_day": "rate", "size_max": "top"}
    return {
        quantity: lmfit_interval(model, sizes, way, named.get(quantity, "initial"))
        for quantity, way in ways.items()
    }


def lmfit_interval(model, sizes, way, quantity):
    begin = {"start": 13.8, "top": 16.1, "rate": 0.3, "rise": 2.3, "initial": 0.5, "extra": 0.1}
    parameters = lmfit.Parameters()
    for name in way:
        parameters.add(name, value=begin[name])

    def residuals(parameters):
        p = parameters.valuesdict()
        rate = p["rate"] if "rate" in p else p["initial"] + p["extra"]
        if "initial" not in p:
            rise = p["rise"]
        elif model == "gompertz":
            rise = p["initial"] / rate
        else:
            rise = np.log(rate / p["extra"])
        start = p["start"] if "start" in p else p["top"] - rise
        if model == "gompertz":
            logs = start + rise * (1 - np.exp(-rate * DAYS))
        else:
            logs = start + rise - np.log(1 + (np.exp(rise) - 1) * np.exp(-rate * DAYS))
        return logs - np.log(sizes)

    minimizer = lmfit.Minimizer(residuals, parameters)
    result = minimizer.minimize()
    ends = lmfit.conf_interval(minimizer, result, p_names=[quantity], sigmas=[0.95])[quantity]
    low, value, high = (value for _, value in ends)
    found = np.array([value, low, high])
    return np.exp(found) if quantity in ("start", "top") else found


@pytest.mark.parametrize("model", ["logistic", "gompertz"])
def test_values_and_profile_intervals_are_those_of_lmfit(rng, model):
    sizes = noisy(rng, model)
    found = growth_models.fit_model(model, HOURS, sizes)
    for quantity, expected in reference(model, sizes).items():
        np.testing.assert_allclose(getattr(found, quantity), expected, rtol=2e-3, err_msg=quantity)


def test_an_exponential_fit_is_the_regression_of_the_logarithm(rng):
    sizes = noisy(rng, "exponential")
    found = growth_models.fit_model("exponential", HOURS, sizes)
    fit = sm.OLS(np.log(sizes), sm.add_constant(DAYS)).fit()
    np.testing.assert_allclose(found.rate_per_day, [fit.params[1], *fit.conf_int()[1]])
    np.testing.assert_allclose(found.size_0, np.exp([fit.params[0], *fit.conf_int()[0]]))
    assert found.initial_rate_per_day == found.rate_per_day
    assert math.isnan(found.size_max.value)
    # statsmodels counts no variance as a parameter, and keeps the constant of the likelihood.
    n, k = 14, 3
    aic = fit.aic + 2 - n * (1 + math.log(2 * math.pi))
    assert found.aicc == pytest.approx(aic + 2 * k * (k + 1) / (n - k - 1))
    assert (found.count, found.parameters, found.start_h) == (n, k, 0)


@pytest.mark.parametrize("curve", CURVES)
def test_the_curve_that_made_the_points_is_the_best(rng, curve):
    fits = growth_models.fit_models(HOURS, noisy(rng, curve, noise=0.03))
    assert [fit.model for fit in fits] == list(CURVES)
    best = growth_models.best(fits)
    assert best is not None and best.model == curve
    assert best.delta_aicc == 0 == min(fit.delta_aicc for fit in fits)
    weights = np.exp([-fit.delta_aicc / 2 for fit in fits])
    np.testing.assert_allclose([fit.weight for fit in fits], weights / weights.sum())


@pytest.mark.parametrize(
    ("curve", "rate", "initial"),
    [("logistic", 0.6, 0.6 * 0.9), ("gompertz", 0.25, 0.25 * math.log(10))],
)
def test_points_without_noise_give_the_parameters_back(curve, rate, initial):
    found = growth_models.fit_model(curve, HOURS, CURVES[curve](DAYS))
    values = [getattr(found, quantity).value for quantity in QUANTITIES]
    np.testing.assert_allclose(values, [V0, rate, VMAX, initial], rtol=1e-6)
    assert found.residual_sd < 1e-8


def test_a_plateau_out_of_sight_is_unbounded(rng):
    found = growth_models.fit_model("gompertz", HOURS, noisy(rng, "exponential"))
    assert found.note == "plateau not reached"
    assert found.size_max.high == math.inf and found.size_max.low > exponential(13.0)
    assert found.rate_per_day.low == 0
    assert found.initial_rate_per_day.low < 0.2 < found.initial_rate_per_day.high


def test_growth_that_ends_before_the_second_image_has_no_upper_rate():
    sizes = np.array([1.0, 9.0, 10, 11, 10, 9, 10, 11])
    found = growth_models.fit_model("gompertz", 24 * np.arange(8.0), sizes)
    assert found.rate_per_day.high == math.inf and found.size_max.value == pytest.approx(
        10, rel=0.05
    )


@pytest.mark.parametrize("curve", CURVES)
def test_fits_do_not_depend_on_unit_start_or_order(rng, curve):
    sizes = noisy(rng, curve)
    order = rng.permutation(len(DAYS))
    for fit, other in zip(
        growth_models.fit_models(HOURS, sizes),
        growth_models.fit_models(HOURS[order] + 500, 1e-9 * sizes[order]),
        strict=True,
    ):
        np.testing.assert_allclose(other.rate_per_day, fit.rate_per_day, rtol=1e-4, atol=1e-9)
        np.testing.assert_allclose(np.array(other.size_0), 1e-9 * np.array(fit.size_0), rtol=1e-4)
        np.testing.assert_allclose(
            other.initial_rate_per_day, fit.initial_rate_per_day, rtol=1e-4, atol=1e-9
        )
        assert other.weight == pytest.approx(fit.weight, rel=1e-4)
        assert (other.start_h, other.note) == (500, fit.note)


def test_the_intervals_of_a_gompertz_fit_cover_the_truth_in_95_percent_of_200_runs():
    plain = module_without_type_checks()
    rng = np.random.default_rng(11)
    days = np.arange(9.0)
    truth = {"rate_per_day": 0.25, "initial_rate_per_day": 0.25 * math.log(10)}
    covered = {quantity: 0 for quantity in truth}
    for _ in range(200):
        found = plain.fit_model("gompertz", 24 * days, noisy(rng, "gompertz", 0.05, days))
        for quantity, value in truth.items():
            interval = getattr(found, quantity)
            covered[quantity] += interval.low <= value <= interval.high
    assert all(0.915 <= count / 200 <= 0.985 for count in covered.values()), covered


FIVE, SIX = "too few points (5 needed)", "too few points (6 needed)"
ZERO = "a size of 0 or less has no logarithm"


@pytest.mark.parametrize(
    ("days", "sizes", "notes"),
    [
        ([0, 1, 2, 3], [1, 2, 3, 4], [FIVE, SIX, SIX]),
        ([0, 1, 2, 3, 4], [1, 2, 3, 4, 6], ["", SIX, SIX]),
        ([0, 0, 0, 1, 1, 1], [1, 1, 1, 2, 2, 3], ["", *2 * ["too few times (3 needed)"]]),
        ([0, 1, 2, 3, 4, 5], [1, 2, 3, 0, 6, 7], [ZERO, ZERO, ZERO]),
        ([0, 1, 2, 3, 4, 5], [9, 8, 7, 6, 5, 4], ["", "not growing", "not growing"]),
        ([], [], [FIVE, SIX, SIX]),
    ],
)
def test_a_model_that_cannot_be_fitted_says_why(days, sizes, notes):
    fits = growth_models.fit_models(24 * np.array(days, float), np.array(sizes, float))
    assert [fit.note for fit in fits] == notes
    for fit in fits:
        assert math.isnan(fit.rate_per_day.value) == bool(fit.note)
    best = growth_models.best(fits)
    assert (best is None) == all(notes)
    assert best is None or best.weight == 1


def test_missing_sizes_do_not_count(rng):
    sizes = noisy(rng, "gompertz")
    with_gap = np.insert(sizes, 3, math.nan)
    found = growth_models.fit_model("gompertz", np.insert(HOURS, 3, 70.0), with_gap)
    assert found == growth_models.fit_model("gompertz", HOURS, sizes)


def test_an_unknown_model_is_an_error():
    with pytest.raises(ValueError, match="model is 'bertalanffy', and must be exponential"):
        growth_models.fit_model("bertalanffy", HOURS, HOURS + 1)
