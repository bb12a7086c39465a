"""Answers in sentences: one per drug, one per other treatment, and one per control."""

import math
from collections.abc import Sequence

from spheroid_jax.plates import said
from spheroid_jax.plates.conditions import Condition, Times
from spheroid_jax.plates.drugs import Drug


def of_drug(drug: Drug, conditions: Sequence[Condition], times: Times, measure: str) -> str:
    """Says what a drug does: its doses of half effect, what is left at the top dose, and n."""
    parts = _doses(drug)
    top = _top_dose(drug, conditions)
    if top is not None and not math.isnan(top.percent.mean.value):
        percent = said.estimate(top.percent.mean, "%")
        parts.append(
            f"{said.measure(measure)} at {top.group.key.concentration:g} {drug.unit} "
            f"({said.hours(times.at)}) is {percent} of the control"
        )
    parts.append(said.replicates(drug.samples.wells))
    refused = int(drug.refusals.refused[drug.refusals.doses > 0].sum())
    if refused:
        parts.append(f"{refused} {'well' if refused == 1 else 'wells'} refused")
    return f"{drug.label}: {'; '.join(parts)}."


def _doses(drug):
    """Returns the doses of half effect, or that there is no effect."""
    parts = []
    gr = drug.gr
    if gr is not None and gr.effect:
        if math.isfinite(drug.gr50.dose.value):
            parts.append(f"GR50 {said.estimate(drug.gr50.dose, drug.unit, least=0)}")
        if gr.note:
            parts.append(gr.note)
    response = drug.response
    if response.effect:
        if math.isfinite(drug.ec50.dose.value):
            text = said.estimate(drug.ec50.dose, drug.unit, least=0)
            parts.append(f"EC50 {text}" + (f" ({response.note})" if response.note else ""))
        if math.isfinite(drug.ic50.dose.value):
            parts.append(f"IC50 {said.estimate(drug.ic50.dose, drug.unit, least=0)}")
        elif response.ic50_note:
            parts.append(f"IC50 {response.ic50_note}")
    if parts:
        return parts
    if math.isnan(response.p):
        return [f"no curve fitted: {response.note}"]
    doses = drug.samples.dose[drug.samples.dose > 0]
    tested = f"{doses.min():g} to {doses.max():g} {drug.unit}" if len(doses) else "the doses"
    return [f"no effect within {tested} (p = {response.p:.2g})"]


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
    parts.append(said.replicates(condition.group.wells))
    if condition.refused:
        parts.append(f"{condition.refused} refused")
    return f"{condition.group.key.label}: {'; '.join(parts)}."


def of_control(condition: Condition) -> str:
    """Says how fast a control grows."""
    parts = []
    rate = condition.rate
    if rate is not None:
        if not math.isnan(rate.doubling_days.value):
            parts.append(f"volume doubles in {said.estimate(rate.doubling_days, 'days')}")
        elif rate.note:
            parts.append(rate.note)
    parts.append(said.replicates(condition.group.wells))
    if condition.refused:
        parts.append(f"{condition.refused} refused")
    return f"{condition.group.key.label} ({condition.group.key.role} control): {'; '.join(parts)}."
