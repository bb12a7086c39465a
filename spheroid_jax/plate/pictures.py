"""Figures of an analysis: what `report.plate_figures` draws, taken from the results."""

import math
from collections.abc import Iterator

import numpy as np

from spheroid_jax.plate import dose, growth_models, said
from spheroid_jax.plate.analysis import Analysis
from spheroid_jax.plate.drugs import Drug
from spheroid_jax.plate.series import Group
from spheroid_jax.report import plate_figures, plate_maps, survival_figures
from spheroid_jax.report.plate_figures import DoseCurve, Growth
from spheroid_jax.report.svg import Drawn

_HOURS_PER_DAY = 24.0
_GRID = 200  # doses or times along a fitted curve
# Panels of one figure; more conditions have further figures.
_MOST_PANELS = 12


def draw(analysis: Analysis) -> Iterator[tuple[str, str, Drawn]]:
    """Yields the name, the caption and the figure of each picture of an analysis."""
    measure, unit = said.measure(analysis.options.measure), said.unit(analysis.joined.unit)
    if analysis.drugs:
        at = said.hours(analysis.times.at)
        yield (
            "dose_response",
            f"{measure.capitalize()} at {at} in percent of the negative controls of the same "
            "plate: all wells, means, and the fitted curve with its 95 % band.",
            plate_figures.dose_curves(
                [_dose_curve(drug) for drug in analysis.drugs],
                response=f"{measure} (% of control)",
            ),
        )
    if analysis.times.grown:
        yield from _growth(analysis, f"{measure} ({unit})")
        yield from _regrowth(analysis)
    yield from _maps(analysis, measure)


def _dose_curve(drug: Drug) -> DoseCurve:
    """Makes the panel of one drug; controls are wells at dose 0."""
    fitted = drug.response
    doses = np.append(drug.samples.dose, drug.control.dose)
    responses = np.append(drug.samples.percent, drug.control.percent)
    tested = drug.samples.dose[drug.samples.dose > 0]
    grid = np.empty(0)
    if not math.isnan(fitted.p) and len(tested):
        grid = np.geomspace(tested.min(), tested.max(), _GRID)
    band = dose.predict(fitted, grid)
    controls = drug.control.percent[~np.isnan(drug.control.percent)]
    spread = float(np.std(controls, ddof=1)) if len(controls) > 1 else math.nan
    mean = float(controls.mean()) if len(controls) else math.nan
    return DoseCurve(
        name=drug.label,
        unit=drug.unit,
        doses=doses,
        responses=responses,
        grid=grid,
        fit=band.response,
        low=band.low,
        high=band.high,
        ec50=tuple(drug.ec50.dose) if fitted.effect else (math.nan,) * 3,
        ic50=tuple(drug.ic50.dose) if fitted.effect else (math.nan,) * 3,
        control=(mean, mean - spread, mean + spread),
        n=said.replicates(drug.samples.wells),
        note=fitted.note,
    )


def _growth(analysis, size):
    """Yields panels of sizes over time, so many conditions per figure."""
    shown = [each for each in analysis.conditions if len(each.group.points()[0])]
    control = next((each for each in shown if each.group.key.role == "negative"), None)
    reference = None if control is None else control.group.key.label
    for number, start in enumerate(range(0, len(shown), _MOST_PANELS), start=1):
        panels = [_panel(each) for each in shown[start : start + _MOST_PANELS]]
        name = "growth" if len(shown) <= _MOST_PANELS else f"growth_{number}"
        yield (
            name,
            "Size of each well over time, the wells' mean, and the growth model with the least "
            "AICc.",
            plate_figures.growth_panels(
                panels, size=size, time="time (d)", fit="growth model", reference=reference
            ),
        )


def _panel(condition) -> Growth:
    group: Group = condition.group
    times = np.unique(np.concatenate([one.time_h for one in group.wells]))
    sizes = np.array([[one.at(time) for time in times] for one in group.wells], float)
    known = ~np.isnan(sizes)
    mean = np.where(
        known.any(0), np.nansum(sizes, axis=0) / np.maximum(known.sum(0), 1), math.nan
    )
    best = growth_models.best(condition.fits)
    fit_times = fit = np.empty(0)
    if best is not None:
        fit_times = np.linspace(best.start_h, times[-1], _GRID)
        fit = growth_models.predict(best, fit_times)
    rate = condition.rate
    note = rate.note
    if not math.isnan(rate.doubling_days.value):
        note = f"doubling {said.estimate(rate.doubling_days, 'd')}"
    return Growth(
        name=group.key.label,
        times=times / _HOURS_PER_DAY,
        sizes=sizes,
        mean=mean,
        fit_times=fit_times / _HOURS_PER_DAY,
        fit=fit,
        n=said.replicates(group.wells),
        note=note,
    )
