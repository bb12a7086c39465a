"""The page of an analysis: what `report.analysis` shows, taken from the results."""

import math
import pathlib
from collections.abc import Sequence

from spheroid_jax.plates import answers, methods, said
from spheroid_jax.plates.analysis import Analysis
from spheroid_jax.report import analysis as report
from spheroid_jax.report.analysis import Figure, Section, Table
from spheroid_jax.report.svg import Drawn

# Figures that belong to a section, by the beginning of their names.
_SECTIONS = (
    ("Dose response", "dose_response"),
    ("Growth", "growth"),
    ("Regrowth", "regrowth"),
    ("Plates", "plate"),
)
_NONE = "–"


def render(results: Analysis, drawn: Sequence[tuple[str, str, Drawn]]) -> bytes:
    """Makes the page.

    Args:
      results: the analysis.
      drawn: name, caption and figure of each picture, as returned by `pictures.draw`.
    """
    tables = {
        "Dose response": [_doses(results)] if results.drugs else [],
        "Growth": [_conditions(results)],
        "Plates": [_plates(results)],
    }
    sections = []
    for title, name in _SECTIONS:
        figures = [
            Figure(caption, figure.svg, wide=True)
            for key, caption, figure in drawn
            if key.startswith(name)
        ]
        heading = title if title != "Growth" or results.times.grown else "Conditions"
        if figures or tables.get(title):
            sections.append(Section(heading, "", figures, tables.get(title, [])))
    return report.render(
        title=f"Analysis of {pathlib.Path(results.layout.source).stem}",
        subtitle=_subtitle(results),
        answers=results.answers,
        warnings=results.warnings,
        sections=sections,
        methods=methods.paragraph(results),
    )


def _subtitle(results):
    wells = len(results.series)
    plates = len(results.plates)
    times = len(results.times.every)
    refused = sum(row.refused for row in results.joined.rows)
    return (
        f"{said.count(wells, 'well')} on {said.count(plates, 'plate')}, "
        f"{said.count(times, 'time')}; {said.measure(results.options.measure)}, compared at "
        f"{said.hours(results.times.at)}; {said.count(refused, 'image')} refused"
    )


def _doses(results):
    headings = ("drug", "GR50", "EC50", "IC50", "GRmax", "AUC, % of control", "note")
    rows = []
    for drug in results.drugs:
        gr = drug.gr
        grows = gr is not None and gr.effect
        curve = drug.response
        notes = dict.fromkeys(filter(None, (curve.note, curve.ic50_note, drug.gr_note)))
        rows.append(
            (
                drug.label,
                _dose(drug.gr50, drug) if grows else _NONE,
                _dose(drug.ec50, drug) if curve.effect else _NONE,
                _dose(drug.ic50, drug) if curve.effect else _NONE,
                _NONE if gr is None else _estimate(gr.grmax),
                _estimate(drug.auc.value),
                "; ".join(notes),
            )
        )
    return Table(
        "Estimates with 95 % intervals. All of them are in fits.csv.", headings, rows, True
    )


def _dose(average, drug):
    return _NONE if math.isnan(average.dose.value) else answers.dose(average, drug)


def _conditions(results):
    unit = said.unit(results.joined.unit)
    grown = results.times.grown
    headings = ["condition", "n", f"size, {unit}", "% of control"]
    headings += ["doubling, days"] if grown else []
    headings += ["p (Holm)", "refused", "note"]
    rows = []
    for each in results.conditions:
        comparison = each.comparison
        row = [
            each.group.key.label,
            each.size.count,
            _estimate(each.size.mean),
            _estimate(each.percent.mean),
        ]
        if grown:
            row.append(_estimate(each.rate.doubling_days))
        p = math.nan if comparison is None else comparison.p_holm
        note = each.rate.note if grown else ""
        row += [_NONE if math.isnan(p) else f"{p:.2g}", str(each.refused), note]
        rows.append(row)
    caption = f"Means at {said.hours(results.times.at)} with 95 % intervals over n."
    return Table(caption, headings, rows, True)


def _plates(results):
    headings = (
        *("plate", "wells", "refused", "Z'", "SSMD", "CV of negative controls, %"),
        *("outer / inner wells", "drift over rows, %", "over columns, %"),
    )
    rows = [
        (
            plate.plate or _NONE,
            str(plate.wells),
            str(plate.refused),
            said.number(plate.z_prime.value),
            said.number(plate.ssmd.value),
            said.number(plate.negative.percent),
            _with_p(plate.edge.ratio, plate.edge.p),
            _with_p(plate.rows.percent, plate.rows.p),
            _with_p(plate.columns.percent, plate.columns.p),
        )
        for plate in results.plates
    ]
    return Table("Quality of each plate. – where the plate has no such wells.", headings, rows)


def _with_p(value, p):
    return said.number(value) if math.isnan(p) else f"{said.number(value)} (p = {p:.2g})"


def _estimate(found, unit="", *, least=-math.inf):
    return _NONE if math.isnan(found.value) else said.estimate(found, unit, least=least)
