"""Coverage of the 95 % intervals of EC50, IC50 and GR50 on simulated plates.

    python -m benchmarks.plate_coverage [--plates 400] [--seed 0]

Each plate has one drug at 8 doses in 4 wells each, and 8 wells of the control. Volumes vary from
well to well by a factor, whose logarithm is normal, or has the heavier tails of Student's t with 3
degrees of freedom and the same standard deviation, 8 to 15 %. The fits know nothing of this noise:
they take it as equal at all doses. EC50, Hill coefficient and remaining volume vary from plate to
plate. A missing interval counts as one that does not cover.
"""

import argparse
import collections
import importlib.metadata
import platform
import time

import numpy as np

from spheroid_jax.plates import dose, gr, gr_curve, hill, logistic

DOSES, REPLICATES, CONTROLS = 10 ** np.linspace(-2, 1.5, 8), 4, 8
NOISES = ("normal", "heavy tails")
_DOSE = np.concatenate([np.zeros(CONTROLS), np.repeat(DOSES, REPLICATES)])
_LOG10_DOSE = dose.log10(_DOSE)
_TAILS = 3


def factors(rng, noise, sd):
    """Draws a factor for each well, whose logarithm has the standard deviation `sd`."""
    if noise == "normal":
        return np.exp(sd * rng.standard_normal(_DOSE.shape))
    return np.exp(sd * rng.standard_t(_TAILS, _DOSE.shape) / np.sqrt(_TAILS / (_TAILS - 2)))


def size_plate(rng, noise):
    """Draws volumes relative to the control, and the true log10 EC50 and IC50."""
    location, slope = rng.uniform(-1, 0.5), 10 ** rng.uniform(-0.15, 0.3)
    bottom = rng.uniform(0.05, 0.35)
    true = bottom + (1 - bottom) * hill.remaining(_LOG10_DOSE, location, slope)
    half = location + np.log10(0.5 / (0.5 - bottom)) / slope
    return true * factors(rng, noise, rng.uniform(0.08, 0.15)), location, half


def growth_plate(rng, noise):
    """Draws volumes at the start and at the end, and the true log10 GR50."""
    location, slope = rng.uniform(-1, 0.5), 10 ** rng.uniform(-0.15, 0.3)
    grinf = rng.uniform(-0.5, 0.3)
    true = grinf + (1 - grinf) * hill.remaining(_LOG10_DOSE, location, slope)
    doublings = rng.uniform(1.5, 3) * np.log2(1 + true)
    start = factors(rng, "normal", 0.1)
    end = start * np.exp2(doublings) * factors(rng, noise, rng.uniform(0.08, 0.15))
    return start, end, location + np.log10(0.5 / (0.5 - grinf)) / slope


def inactive_plate(rng, noise):
    """Draws volumes of a drug without effect."""
    return factors(rng, noise, rng.uniform(0.08, 0.15))


def measure(plates, seed):
    """Returns, by quantity, fit and noise, whether each plate's interval covers the truth.

    Of inactive drugs it returns whether each is said to have an effect. `plates` are numbers, each
    of which is the seed of a plate.
    """
    found = collections.defaultdict(list)
    for noise in NOISES:
        for plate in plates:
            rng = np.random.default_rng([seed, plate, NOISES.index(noise)])
            volume, location, half = size_plate(rng, noise)
            flat = inactive_plate(rng, noise)
            for robust in (False, True):
                kind = ("robust" if robust else "plain", noise)
                fit = dose.fit(_DOSE, volume, robust=robust, intervals=("log10_ec50", "ic50"))
                found["EC50", *kind].append(_within(fit.log10_ec50, location))
                found["IC50", *kind].append(_within(fit.ic50, 10**half))
                test = logistic.solve(_LOG10_DOSE, (flat - flat.mean()) / flat.std(), robust=robust)
                found["inactive", *kind].append(test.p < dose.ALPHA)
            found["GR50", "plain", noise].append(_covers_gr50(rng, noise))
    return found


def _covers_gr50(rng, noise):
    start, end, truth = growth_plate(rng, noise)
    control = gr.control_growth(end[:CONTROLS], start[:CONTROLS])
    values = gr.values(end[CONTROLS:], start[CONTROLS:], control.doublings)
    curve = gr_curve.solve(_LOG10_DOSE[CONTROLS:], values, control.relative_error)
    return curve.p < dose.ALPHA and _within(gr_curve.gr50(curve), truth)


def _within(estimate, truth):
    return bool(estimate.low <= truth <= estimate.high)


def table(found):
    """Returns the rows of a table of percentages."""
    kinds = [(fit, noise) for noise in NOISES for fit in ("plain", "robust")]
    head = "| | " + " | ".join(f"{fit}, {noise}" for fit, noise in kinds) + " |"
    rows = [head, "|---|" + "---|" * len(kinds)]
    for quantity in ("EC50", "IC50", "GR50", "inactive"):
        cells = (found.get((quantity, *kind)) for kind in kinds)
        shown = (f"{100 * np.mean(cell):.1f} %" if cell else "-" for cell in cells)
        name = "inactive, called effect" if quantity == "inactive" else f"{quantity} covered"
        rows.append(f"| {name} | " + " | ".join(shown) + " |")
    return rows


def main():
    """Runs the command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.plate_coverage")
    parser.add_argument("--plates", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    began = time.perf_counter()
    print("\n".join(table(measure(range(given.plates), given.seed))))
    versions = ", ".join(
        f"{name} {importlib.metadata.version(name)}" for name in ("scipy", "numpy")
    )
    print(f"\n{given.plates} plates of each kind, {time.perf_counter() - began:.0f} s, ", end="")
    print(f"Python {platform.python_version()}, {versions}")


if __name__ == "__main__":
    main()
