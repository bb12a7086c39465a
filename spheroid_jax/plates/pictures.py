"""Figures of an analysis: what `report.plate_figures` draws, taken from the results."""

import math
import re
from collections.abc import Iterator

import numpy as np

from spheroid_jax.plates import controls, dose, growth_models, said, survival
from spheroid_jax.plates.analysis import Analysis
from spheroid_jax.plates.conditions import Condition, control_of, families
from spheroid_jax.plates.drugs import Drug
from spheroid_jax.plates.estimate import Estimate
from spheroid_jax.plates.survival import Curve
from spheroid_jax.report import heat_map, plate_figures, plates
from spheroid_jax.report import survival as survival_figure
from spheroid_jax.report.plate_figures import DoseCurve, Growth
from spheroid_jax.report.svg import Drawn

_HOURS_PER_DAY = 24.0
_GRID = 200  # doses or times along a fitted curve
# Panels of one figure; more conditions have further figures.
_MOST_PANELS = 12
# Letters of a drug in the name of a file.
_LONGEST = 60


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
                [_dose_curve(drug, analysis.times.at) for drug in analysis.drugs],
                response=f"{measure} (% of control)",
            ),
        )
    if analysis.times.grown:
        yield from _growth(analysis, f"{measure} ({unit})")
        yield from _regrowth(analysis)
    yield from _maps(analysis, measure)


def _dose_curve(drug: Drug, at_h: float) -> DoseCurve:
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
        ec50=drug.ec50.dose if fitted.effect else Estimate(),
        ic50=drug.ic50.dose if fitted.effect else Estimate(),
        control=(mean, mean - spread, mean + spread),
        n=said.replicates(drug.samples.wells, at_h),
        note=fitted.note,
    )


def _growth(analysis, size):
    """Yields panels of sizes over time, of one cell line and so many conditions per figure."""
    shown = [each for each in analysis.conditions if np.any(each.group.points()[1] > 0)]
    figures = [
        (family, family[start : start + _MOST_PANELS])
        for family in families(shown)
        for start in range(0, len(family), _MOST_PANELS)
    ]
    for number, (family, members) in enumerate(figures, start=1):
        control = control_of(family[0], family)
        reference = None if control is None else control.group.key.label
        panels = [_panel(each) for each in members]
        if control is not None and all(each is not control for each in members):
            panels = [_panel(control), *panels]
        yield (
            "growth" if len(figures) == 1 else f"growth_{number}",
            "Size of each well over time, the wells' mean, and the growth model with the least "
            "AICc.",
            plate_figures.growth_panels(
                panels, size=size, time="time (d)", fit="growth model", reference=reference
            ),
        )


def _panel(condition: Condition) -> Growth:
    group = condition.group
    times = np.unique(np.concatenate([one.time_h for one in group.wells]))
    sizes = np.array([[one.at(time) for time in times] for one in group.wells], float)
    known = ~np.isnan(sizes)
    mean = np.where(known.any(0), np.nansum(sizes, axis=0) / np.maximum(known.sum(0), 1), math.nan)
    best = growth_models.best(condition.fits)
    fit_times = fit = np.empty(0)
    if best is not None:
        fit_times = np.linspace(best.start_h, times[-1], _GRID)
        fit = growth_models.predict(best, fit_times)
    rate = condition.rate
    note = "" if rate is None else rate.note
    if rate is not None and not math.isnan(rate.doubling_days.value):
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


def _regrowth(analysis):
    """Yields Kaplan-Meier curves of the conditions of each drug, in which any spheroid regrew."""
    used: set[str] = set()
    for drug in analysis.drugs:
        groups = [
            _survival(each, each.curve)
            for each in analysis.conditions
            if each.curve is not None
            and each.group.key[:2] == (drug.cell_line, drug.treatment)
            and each.group.key.role == "sample"
        ]
        if not any((~group.censored).any() for group in groups):
            continue
        yield (
            _unique(f"regrowth_{_file_name(drug.label)}", used),
            f"{drug.label}: probability that a spheroid has not regrown (Kaplan-Meier, 95 % "
            "log-log intervals), and the number at risk. A tick is a censored spheroid.",
            survival_figure.survival_steps(
                groups, probability="not regrown", time="time after treatment (d)"
            ),
        )


def _survival(condition: Condition, curve: Curve) -> survival_figure.Survival:
    hours, observed = survival.followed(condition.regrown)
    key = condition.group.key
    return survival_figure.Survival(
        name=f"{key.concentration:g} {key.unit}",
        times=curve.time[1:] / _HOURS_PER_DAY,
        probability=curve.survival[1:],
        low=curve.low[1:],
        high=curve.high[1:],
        observed=hours / _HOURS_PER_DAY,
        censored=~observed,
    )


def _file_name(label):
    """Returns a label with plain letters, digits and underscores alone, of a moderate length."""
    return re.sub(r"[^A-Za-z0-9]+", "_", label).strip("_")[:_LONGEST] or "drug"


def _unique(name, used):
    """Returns a name, numbered if it is used already, also in other case; adds it to those used."""
    found, number = name, 1
    while found.lower() in used:
        number += 1
        found = f"{name}_{number}"
    used.add(found.lower())
    return found


def _maps(analysis, measure):
    """Yields one heat map per plate: percent of control, or the size where there is no control."""
    at = analysis.times.at
    shape = plates.FORMATS[analysis.layout.format]
    for number, plate in enumerate(analysis.plates, start=1):
        wells = [one for one in analysis.series if one.well.plate == plate.plate]
        percent = controls.percent(wells, analysis.series, at)
        relative = bool(np.any(~np.isnan(percent)))
        sizes = np.array([one.at(at) for one in wells], float)
        values = np.full(shape, math.nan)
        refused, excluded = np.zeros(shape, bool), np.zeros(shape, bool)
        roles = np.full(shape, "empty", object)
        for one, value in zip(wells, percent if relative else sizes, strict=True):
            place = one.well.row, one.well.column
            values[place], refused[place] = value, one.refused_at(at)
        for well in analysis.layout.wells:
            if well.plate == plate.plate:
                roles[well.row, well.column] = well.role
                excluded[well.row, well.column] = well.excluded
        name = f"plate {plate.plate}" if plate.plate else "plate"
        unit = "% of control" if relative else said.unit(analysis.joined.unit)
        yield (
            f"plate_{number}",
            f"{name.capitalize()} at {said.hours(at)}: {measure} of each well. Refused wells are "
            "hatched, excluded ones crossed out.",
            heat_map.heat_map(
                heat_map.Plate(name, values, refused, excluded, roles),
                value=f"{measure} ({unit})",
                centre=100.0 if relative else None,
            ),
        )
