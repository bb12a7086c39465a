"""Results of each drug: dose response, growth-rate inhibition, control dose, refused wells by dose.

A drug is a treatment of samples with concentrations in one cell line.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from spheroid_jax.plates import controls, dose, dose_groups, gr, quality, regrowth, summary
from spheroid_jax.plates.conditions import Condition, Times, control_of
from spheroid_jax.plates.dose import DoseResponse
from spheroid_jax.plates.dose_groups import Auc, Hormesis
from spheroid_jax.plates.estimate import Estimate
from spheroid_jax.plates.gr import GrResponse
from spheroid_jax.plates.options import PlateOptions
from spheroid_jax.plates.quality import Refusals
from spheroid_jax.plates.regrowth import ControlDose
from spheroid_jax.plates.series import SAME_H, Series


class Points(NamedTuple):
    """The wells of a drug; all arrays have one entry per well.

    Attributes:
      wells: the wells.
      dose: concentration.
      percent: size at the time of comparison in percent of the plate's negative control.
      gr: GR value; NaN where there is none.
    """

    wells: tuple[Series, ...]
    dose: Float[np.ndarray, " N"]
    percent: Float[np.ndarray, " N"]
    gr: Float[np.ndarray, " N"]


class Average(NamedTuple):
    """A dose over experiments.

    Attributes:
      dose: the only experiment's estimate with its profile interval; of several experiments the
        geometric mean with its t interval.
      n: number of experiments with an estimate.
      experiments: number of experiments of the drug.
    """

    dose: Estimate = Estimate()
    n: int = 0
    experiments: int = 0


class Drug(NamedTuple):
    """Results of one drug in one cell line.

    Attributes:
      cell_line: name of the cell line; may be "".
      treatment: name of the drug.
      label: name in tables and figures; with the cell line where there are several.
      unit: unit of the concentrations.
      samples: the drug's wells.
      control: the negative control's wells, at dose 0.
      response: dose response of the percent of control, of all wells.
      by_experiment: the same of each experiment, where there are several.
      ec50: relative EC50 over experiments.
      ic50: absolute IC50 over experiments.
      gr: GR metrics of all wells; None with one time.
      gr_by_experiment: the same of each experiment, where there are several.
      gr50: GR50 over experiments.
      gr_note: why there are no GR values; "" where there are.
      ndr: NDR of each well of `samples`; all NaN where it is not defined.
      ndr_note: why NDR is not defined.
      auc: area under the percent of control over log10 dose.
      hormesis: whether low doses stimulate.
      control_dose: dose that controls half of the spheroids; None where the drug shrinks none.
      refusals: refused wells by dose.
    """

    cell_line: str
    treatment: str
    label: str
    unit: str
    samples: Points
    control: Points
    response: DoseResponse
    by_experiment: Mapping[str, DoseResponse]
    ec50: Average
    ic50: Average
    gr: GrResponse | None
    gr_by_experiment: Mapping[str, GrResponse]
    gr50: Average
    gr_note: str
    ndr: Float[np.ndarray, " N"]
    ndr_note: str
    auc: Auc
    hormesis: Hormesis
    control_dose: ControlDose | None
    refusals: Refusals


def analyse(
    conditions: Sequence[Condition],
    everything: Sequence[Series],
    times: Times,
    options: PlateOptions,
) -> list[Drug]:
    """Computes the results of all drugs.

    Args:
      conditions: conditions, as returned by `conditions.analyse`.
      everything: all wells.
      times: times of the analysis.
      options: choices.
    """
    by_drug: dict[tuple[str, str, str], list[Condition]] = {}
    for condition in conditions:
        key = condition.group.key
        if key.role == "sample" and not math.isnan(key.concentration):
            by_drug.setdefault((key.cell_line, key.treatment, key.unit), []).append(condition)
    return [
        _drug(names, found, conditions, everything, times, options)
        for names, found in by_drug.items()
    ]


def _drug(names, found, conditions, everything, times, options):
    control = control_of(found[0], conditions)
    samples = _points(found, everything, times)
    untreated = _points([] if control is None else [control], everything, times)
    response = _fit(samples, untreated, options.robust)
    experiments = sorted({series.well.experiment for series in samples.wells})
    several = len(experiments) > 1
    by_experiment = {
        name: _fit(_of(samples, name), _of(untreated, name), options.robust)
        for name in experiments
        if several
    }
    growth, note = _growth(samples, untreated, times)
    gr_by_experiment = {}
    for name in experiments if several and growth is not None else ():
        own, _ = _growth(_of(samples, name), _of(untreated, name), times)
        if own is not None:
            gr_by_experiment[name] = own
    responses = list(by_experiment.values()) or [response]
    growths = list(gr_by_experiment.values()) or ([growth] if growth is not None else [])
    count = len(experiments)
    ndr, ndr_note = _ndr(samples, untreated, everything, times)
    cell_line, treatment, unit = names
    lines = {each.group.key.cell_line for each in conditions}
    line = f" ({cell_line})" if cell_line and len(lines) > 1 else ""
    follows = any(each.regrown for each in found)
    return Drug(
        cell_line=cell_line,
        treatment=treatment,
        label=treatment + line,
        unit=unit,
        samples=samples,
        control=untreated,
        response=response,
        by_experiment=by_experiment,
        ec50=_average([each.ec50 for each in responses], count),
        ic50=_average([each.ic50 for each in responses], count),
        gr=growth,
        gr_by_experiment=gr_by_experiment,
        gr50=_average([each.gr50 for each in growths], count),
        gr_note=note,
        ndr=ndr,
        ndr_note=ndr_note,
        auc=dose_groups.auc(samples.dose, samples.percent),
        hormesis=dose_groups.hormesis(samples.dose, samples.percent, untreated.percent),
        control_dose=_control_dose(found, times) if follows else None,
        refusals=_refusals(samples, untreated, times, unit),
    )


def _points(conditions, everything, times):
    wells = tuple(series for condition in conditions for series in condition.group.wells)
    doses = np.array([one.well.concentration for one in wells], float)
    if conditions and conditions[0].group.key.role == "negative":
        doses = np.zeros(len(wells))
    growth = np.array([_gr_value(one, everything, times) for one in wells], float)
    return Points(wells, doses, controls.percent(wells, everything, times.at), growth)


def _gr_value(series, everything, times):
    """Returns the GR value of a well, from its own size at treatment."""
    start, end = series.at(times.t0), series.at(times.at)
    own = controls.of_well(series, everything)
    doublings = controls.mean_log2_fold(own, times.t0, times.at) if times.grown else math.nan
    if math.isnan(end) or not start > 0 or math.isnan(doublings):
        return math.nan
    return float(gr.values(np.array([end]), np.array([start]), doublings)[0])


def _of(points, experiment):
    """Returns the wells of one experiment."""
    kept = np.array([series.well.experiment == experiment for series in points.wells], bool)
    wells = tuple(series for series, keep in zip(points.wells, kept, strict=True) if keep)
    return Points(wells, points.dose[kept], points.percent[kept], points.gr[kept])


def _fit(samples, untreated, robust):
    """Fits the dose response of percents; the controls are wells at dose 0.

    So half of the control is half of the fitted top, whose error is in the interval of the IC50.
    """
    return dose.fit(
        np.append(samples.dose, untreated.dose),
        np.append(samples.percent, untreated.percent),
        robust=robust,
    )


def _growth(samples, untreated, times):
    """Fits the GR values; returns None and a note where there are none."""
    if not times.grown:
        return None, "needs images at treatment and later"
    end, start = (
        np.array([series.at(time) for series in untreated.wells], float)
        for time in (times.at, times.t0)
    )
    both = ~np.isnan(end) & ~np.isnan(start)
    control = gr.control_growth(end[both], start[both])
    if control.note:
        return None, control.note
    found = gr.fit(samples.dose, samples.gr, control_error=control.relative_error)
    return found, found.note


def _ndr(samples, untreated, everything, times):
    """Computes NDR of each well; it needs a positive control that kills."""
    none = np.full(len(samples.wells), math.nan)
    if not times.grown:
        return none, "needs images at treatment and later"
    of_positive = [
        one
        for one in everything
        if one.well.role == "positive" and one.well.cell_line == samples.wells[0].well.cell_line
    ]
    if not of_positive:
        return none, "needs a positive control that kills"
    folds = [
        np.array([controls.fold(one, times.t0, times.at) for one in wells], float)
        for wells in (samples.wells, untreated.wells, of_positive)
    ]
    if any(np.all(np.isnan(each)) for each in folds):
        return none, "no fold changes of a control"
    return gr.ndr(folds[0], float(np.nanmedian(folds[1])), float(np.nanmedian(folds[2])))


def _average(estimates, experiments):
    """Returns the estimate of one experiment, or the geometric mean over several."""
    known = [each for each in estimates if math.isfinite(each.value) and each.value > 0]
    if experiments < 2:
        return Average(estimates[0] if estimates else Estimate(), len(known), 1)
    logs = np.log10([each.value for each in known])
    mean = summary.summarise(logs, [str(n) for n in range(len(logs))]).mean
    return Average(Estimate(*(10**value for value in mean)), len(known), experiments)


def _control_dose(conditions, times):
    """Estimates the dose that controls half of the spheroids at the time of comparison."""
    after = times.at - times.t0
    doses, controlled = [], []
    for condition in conditions:
        for event in condition.regrown:
            # A well censored earlier says nothing about this time.
            if event.observed or event.after_h >= after - SAME_H:
                doses.append(condition.group.key.concentration)
                controlled.append(not event.observed)
    return regrowth.scd50(np.array(doses, float), np.array(controlled, bool))


def _refusals(samples, untreated, times, unit):
    """Tests whether refused wells rise with the dose."""
    wells = [*samples.wells, *untreated.wells]
    here = np.array([len(one.time_h) > 0 for one in wells], bool)
    refused = np.array([one.refused_at(times.at) for one in wells], bool)
    doses = np.append(samples.dose, untreated.dose)
    return quality.refused_by_dose(doses[here], refused[here], unit=unit)
