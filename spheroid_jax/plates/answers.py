"""Answers in sentences: one per drug, one per other treatment, and one per control."""

import math
from collections.abc import Sequence

import numpy as np

from spheroid_jax.plates import said
from spheroid_jax.plates.conditions import Condition, Times
from spheroid_jax.plates.drugs import Average, Drug

# End of the notes on doses beyond those tested.
_OUTSIDE = "outside the doses tested"


def of_drug(drug: Drug, conditions: Sequence[Condition], times: Times, measure: str) -> str:
    """Says what a drug does: its doses of half effect, what is left at the top dose, and n."""
    compared = np.isfinite(drug.samples.percent) | np.isfinite(drug.samples.gr)
    wells = [one for one, known in zip(drug.samples.wells, compared, strict=True) if known]
    replicates = said.replicates(wells or drug.samples.wells, times.at)
    parts = _doses(drug) if wells else ["no size and control to compare"]
    top = _top_dose(drug, conditions)
    if top is not None and not math.isnan(top.percent.mean.value):
        percent = said.estimate(top.percent.mean, "%")
        n = f"n = {top.percent.count}"
        parts.append(
            f"{said.measure(measure)} at {top.group.key.concentration:g} {drug.unit} "
            f"({said.hours(times.at)}) is {percent} of the control"
            + ("" if n == replicates else f" ({n.removeprefix('n = ')})")
        )
    parts.append(replicates)
    refused = int(drug.refusals.refused[drug.refusals.doses > 0].sum())
    if refused:
        parts.append(f"{said.count(refused, 'well')} refused")
    return f"{drug.label}: {'; '.join(parts)}."


def _doses(drug):
    """Returns the doses of half effect, or that there is no effect."""
    parts = []
    gr = drug.gr
    if gr is not None and gr.effect:
        if math.isfinite(drug.gr50.dose.value):
            parts.append(f"GR50 {dose(drug.gr50, drug)}")
        if _rest(gr.note):
            parts.append(_rest(gr.note))
    response = drug.response
    if response.effect:
        if math.isfinite(drug.ec50.dose.value):
            text, note = dose(drug.ec50, drug), _rest(response.note)
            parts.append(f"EC50 {text}" + (f" ({note})" if note else ""))
        if math.isfinite(drug.ic50.dose.value):
            parts.append(f"IC50 {dose(drug.ic50, drug)}")
        elif response.ic50_note:
            parts.append(f"IC50 {response.ic50_note}")
    if parts:
        return parts
    if math.isnan(response.p):
        return [f"no curve fitted: {response.note}"]
    doses = drug.samples.dose[drug.samples.dose > 0]
    tested = f"{doses.min():g} to {doses.max():g} {drug.unit}" if len(doses) else "the doses"
    return [f"no effect within {tested} (p = {response.p:.2g})"]


def _rest(note):
    """Returns a note without what `dose` says."""
    return "; ".join(part for part in note.split("; ") if not part.endswith(_OUTSIDE))


def dose(average: Average, drug: Drug) -> str:
    """Returns a dose in words, and in how many experiments it was found if not in all.

    Beyond the doses tested, a curve is extrapolated, and its dose is no answer.
    """
    tested = drug.samples.dose[drug.samples.dose > 0]
    text = said.estimate(average.dose, drug.unit, least=0)
    if average.dose.value < tested.min():
        text = f"below {tested.min():g} {drug.unit}, the lowest dose"
    elif average.dose.value > tested.max():
        text = f"above {tested.max():g} {drug.unit}, the highest dose"
    if average.n == average.experiments:
        return text
    return f"{text} (in {average.n} of {average.experiments} experiments)"


def _top_dose(drug, conditions):
    """Returns the condition of the highest dose."""
    found = [
        each
        for each in conditions
        if each.group.key.role == "sample"
        and (each.group.key.cell_line, each.group.key.treatment) == (drug.cell_line, drug.treatment)
        and each.group.key.unit == drug.unit
    ]
    return max(found, key=lambda each: each.group.key.concentration, default=None)


def of_condition(condition: Condition, times: Times) -> str:
    """Says what a treatment without doses does, against the negative control."""
    parts = [
        f"{said.estimate(condition.percent.mean, '%')} of the control at {said.hours(times.at)}"
    ]
    if math.isnan(condition.percent.mean.value):
        parts = ["no size or no negative control to compare with"]
    found = condition.comparison
    if found is not None and not math.isnan(found.p_holm):
        parts.append(f"p = {found.p_holm:.2g} (Holm)")
    return _sentence(condition, parts, times)


def of_control(condition: Condition, times: Times) -> str:
    """Says how fast a control grows."""
    parts = []
    rate = condition.rate
    if rate is not None:
        if not math.isnan(rate.doubling_days.value):
            parts.append(f"volume doubles in {said.estimate(rate.doubling_days, 'days')}")
        elif rate.note:
            parts.append(rate.note)
    return _sentence(condition, parts, times)


def _sentence(condition, parts, times):
    """Returns the answer about one condition, with its n and its refused wells."""
    key = condition.group.key
    control = "" if key.role == "sample" else f"{key.role} control"
    name = key.label.removesuffix(f" ({key.role})")
    # A control without a name has that of its role.
    known = key.treatment and control
    parts = [*parts, said.replicates(condition.group.wells, times.at)]
    if condition.refused:
        parts.append(f"{said.count(condition.refused, 'well')} refused")
    return f"{name}{f' ({control})' if known else control[len(key.role) :]}: {'; '.join(parts)}."
