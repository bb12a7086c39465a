"""How often the 95 % intervals of growth, growth delay and SCD50 hold the truth, by simulation.

    python -m benchmarks.growth_coverage --runs 1000

prints a table: each row is a quantity, the design that was drawn, and the share of the intervals
that hold the true value. Sizes have multiplicative lognormal noise.
"""

import argparse
import math

import numpy as np
from scipy import special

from spheroid_jax.plates import delay, growth, growth_models, regrowth
from spheroid_jax.plates.survival import TimeToEvent

V0, VMAX, RATE, ALPHA = 1e6, 1e7, 0.4, 0.25
SCD50, SLOPE = 5.0, 1.2
CURVES = {
    "logistic": lambda days: VMAX / (1 + (VMAX / V0 - 1) * np.exp(-RATE * days)),
    "gompertz": lambda days: V0 * np.exp(math.log(VMAX / V0) * (1 - np.exp(-ALPHA * days))),
}
TRUTH = {
    "logistic": {"rate_per_day": RATE, "initial_rate_per_day": RATE * (1 - V0 / VMAX)},
    "gompertz": {"rate_per_day": ALPHA, "initial_rate_per_day": ALPHA * math.log(VMAX / V0)},
}


def _holds(interval, truth):
    return interval.low <= truth <= interval.high


def _specific_rate(rng):
    days = np.arange(7.0)
    sizes = V0 * np.exp(RATE * days + rng.normal(0, 0.1, 7))
    return {"rate_per_day": _holds(growth.specific_rate(24 * days, sizes).rate_per_day, RATE)}


def _wells(rng, count=6):
    """Wells with rates and sizes of their own, as one regression and as the mean of wells."""
    days = np.tile(np.arange(7.0), count)
    well = np.repeat(np.arange(count), 7)
    rates, starts = rng.normal(RATE, 0.05, count), rng.normal(0, 0.2, count)
    sizes = V0 * np.exp(starts[well] + rates[well] * days + rng.normal(0, 0.05, len(days)))
    pooled = growth.specific_rate(24 * days, sizes).rate_per_day
    by_well = growth.rate_of_wells(24 * days, sizes, well).rate_per_day
    return {"all points pooled": _holds(pooled, RATE), "mean of wells": _holds(by_well, RATE)}


def _curve(model, days, noise):
    def draw(rng):
        sizes = CURVES[model](days) * np.exp(rng.normal(0, noise, len(days)))
        found = growth_models.fit_model(model, 24 * days, sizes)
        truth = {"size_0": V0, "size_max": VMAX, **TRUTH[model]}
        return {name: _holds(getattr(found, name), value) for name, value in truth.items()}

    return draw


def _growth_delay(count):
    def draw(rng):
        treated, control = rng.normal(5, 0.2, count), rng.normal(4, 0.2, count)
        groups = (
            [TimeToEvent(math.exp(t), t < 5.2) for t in group] for group in (treated, control)
        )
        return {"hours": _holds(delay.growth_delay(*groups).hours, math.exp(5) - math.exp(4))}

    return draw


def _control_dose(count):
    doses = np.repeat(np.arange(0.0, 11, 2), count)

    def draw(rng):
        controlled = rng.random(len(doses)) < special.expit(SLOPE * (doses - SCD50))
        found = regrowth.scd50(doses, controlled)
        missing = math.isnan(found.dose.value)
        return {"SCD50": math.nan if missing else _holds(found.dose, SCD50)}

    return draw


DESIGNS = {
    "specific rate, 7 days, noise 10 %": _specific_rate,
    "6 wells, SD of rates 12 %": _wells,
    "logistic, 14 days, noise 5 %": _curve("logistic", np.arange(14.0), 0.05),
    "Gompertz, 14 days, noise 5 %": _curve("gompertz", np.arange(14.0), 0.05),
    "Gompertz, 9 days, noise 10 %": _curve("gompertz", np.arange(9.0), 0.1),
    "growth delay, 2 x 6 wells": _growth_delay(6),
    "growth delay, 2 x 12 wells": _growth_delay(12),
    "SCD50, 6 doses x 4 spheroids": _control_dose(4),
    "SCD50, 6 doses x 8 spheroids": _control_dose(8),
}


def main():
    """Prints the table."""
    parser = argparse.ArgumentParser(description="Coverage of the intervals of growth, simulated.")
    parser.add_argument("--runs", type=int, default=1000, help="simulated experiments per design")
    runs = parser.parse_args().runs
    print("| design | quantity | intervals that hold the truth |\n|---|---|---|")
    for design, draw in DESIGNS.items():
        rng = np.random.default_rng(0)
        found = [draw(rng) for _ in range(runs)]
        for quantity in found[0]:
            share = 100 * np.nanmean([float(one[quantity]) for one in found])
            print(f"| {design} | {quantity} | {share:.1f} % |")


if __name__ == "__main__":
    main()
