"""The methods paragraph of an analysis: choices, formulas and versions, to paste into a paper."""

import platform
from collections.abc import Iterator

import numpy as np
import scipy

from spheroid_jax import __version__
from spheroid_jax.plates import controls, said
from spheroid_jax.plates.analysis import Analysis
from spheroid_jax.plates.observations import MEASURES

_BODIES = {
    "largest": "the largest body of each image",
    "mean": "the mean over all bodies of each image",
    "sum": "the sum over all bodies of each image",
}
_VOLUMES = {
    "volume_sphere": "volume was pi/6 d^3 with the equivalent diameter d = sqrt(4A/pi)",
    "volume_prolate": "volume was pi/6 L W^2 with the axes L and W of the ellipse of equal moments",
    "volume_caliper": "volume was 0.5 L W^2 with the largest caliper L and the one across it, W",
}


def paragraph(analysis: Analysis) -> str:
    """Writes the methods paragraph."""
    return " ".join(_sentences(analysis))


def _sentences(analysis: Analysis) -> Iterator[str]:
    options, times = analysis.options, analysis.times
    yield (
        f"Spheroids were measured in bright-field images with spheroid_jax {__version__}; "
        f"{_BODIES[options.bodies]} counted"
        + (f", and {_VOLUMES[options.measure]}." if options.measure in _VOLUMES else ".")
    )
    refused = "Images that were refused by the software's verdict were treated as missing"
    only_ok = " and so were images with any verdict other than ok" if options.only_ok else ""
    yield f"{refused}{only_ok}; several images of a well at one time were averaged."
    yield (
        "Controls were defined by their role in the plate map. Sizes were divided by the mean of "
        f"the negative controls{_names(analysis)} of the same plate, cell line and time."
    )
    if times.grown:
        yield from _growth(analysis)
    if analysis.drugs:
        yield from _doses(analysis)
    yield from _statistics(analysis)
    versions = f"NumPy {np.__version__}, SciPy {scipy.__version__}"
    yield f"Computed with Python {platform.python_version()}, {versions}."


def _names(analysis):
    """Returns the treatments of the controls that are references, in brackets."""
    lines = dict.fromkeys(each.group.key.cell_line for each in analysis.conditions)
    orders = [controls.order(analysis.series, line) for line in lines]
    names = dict.fromkeys(order[0][0] for order in orders if order)
    return f" ({', '.join(filter(None, names))})" if any(names) else ""


def _growth(analysis):
    options, times = analysis.options, analysis.times
    power = MEASURES[options.measure]
    slopes = "the slopes" if power == 3 else f"{3 / power:g} times the slopes"
    start, end = options.window_h or (times.t0, times.every[-1])
    yield (
        f"Treatment was at {times.t0:g} h. Specific growth rates of the volume were {slopes} of "
        f"linear regressions of ln size on time from {start:g} to {end:g} h, per well; doubling "
        "times were ln 2 / rate. Exponential, logistic and Gompertz models were fitted to ln size "
        "by least squares and compared by AICc. Growth delay was the difference of the median "
        f"times to {options.multiple:g} times the size at treatment; wells that did not reach it "
        "were censored."
    )
    if all(each.curve is None for each in analysis.conditions):
        return
    rule = options.rule
    yield (
        "Under treatments that shrank spheroids, one counted as regrown when its size was above "
        f"{rule.level:g} times that at treatment and had risen in {rule.rising} successive images; "
        "others were censored at their last image. Control probabilities are Kaplan-Meier "
        "estimates with log-log intervals, compared by log-rank tests; SCD50 is from logistic "
        "regression with Firth's penalty."
    )


def _doses(analysis):
    options = analysis.options
    several = any(drug.by_experiment for drug in analysis.drugs)
    intervals = (
        "Each experiment was fitted; doses are geometric means over experiments, with t intervals "
        "of the logarithms."
        if several
        else "Intervals of doses are 95 % profile-likelihood intervals."
    )
    loss = " with a robust loss (soft L1)" if options.robust else ""
    yield (
        "Dose-response curves y = bottom + (top - bottom) / (1 + (c / EC50)^h) were fitted to all "
        f"wells{loss}, the controls being wells at dose 0, and compared with a flat line by an F "
        "test; where p >= 0.05, no effect is reported. EC50 is the relative and IC50 the absolute "
        f"dose of half effect (half of the fitted top). {intervals}"
    )
    if any(drug.gr is not None for drug in analysis.drugs):
        yield (
            "GR values were 2^(log2(x/x0) / log2(xctrl/x0)) - 1 (Hafner et al. 2016) of each "
            "well's size, fitted by GR = GRinf + (1 - GRinf) / (1 + (c / GEC50)^h)."
        )


def _statistics(analysis):
    options, times = analysis.options, analysis.times
    measure = said.measure(options.measure)
    experiments = len({one.well.experiment for one in analysis.series})
    n = (
        "values were averaged per experiment, and n is the number of experiments."
        if experiments > 1
        else "n is the number of wells of one experiment, and results hold for it alone."
    )
    test = "Welch's t tests" if options.test == "welch" else "Mann-Whitney tests"
    yield (
        f"At {times.at:g} h, the {measure} of each condition was compared with that of the "
        f"negative control by {test} on ln size, adjusted by Holm's method over the conditions of "
        f"a cell line. Wells are technical replicates: {n} Intervals are 95 % intervals."
    )
