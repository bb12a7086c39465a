"""Files of an analysis: tables, figures, and the page that begins with the answers.

OUTPUT/analysis.html     answers, warnings, figures, tables, methods; one file
OUTPUT/conditions.csv    one row per condition
OUTPUT/fits.csv          one row per fitted quantity
OUTPUT/wells.csv         one row per well and time
OUTPUT/comparisons.csv   one row per comparison of two conditions, and of all at once
OUTPUT/gr_calculator.csv sizes in the columns that GR calculator reads
OUTPUT/columns.md        what each column means
OUTPUT/figures/          each figure as SVG and PNG
"""

import dataclasses
import json
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from spheroid_jax import __version__
from spheroid_jax.plates import (
    comparison_rows,
    controls,
    fit_rows,
    gr,
    methods,
    page,
    pictures,
    rows,
)
from spheroid_jax.plates.analysis import Analysis
from spheroid_jax.report import sheets
from spheroid_jax.report.sheets import Column
from spheroid_jax.runtime import own_files

_GR_COLUMNS = tuple(
    Column(name, meaning)
    for name, meaning in (
        ("cell_line", "from the map"),
        ("treatment", "from the map"),
        ("concentration", "from the map, in its unit"),
        ("cell_count", "size at the time of comparison"),
        ("cell_count__ctrl", "mean size of the plate's negative controls at that time"),
        ("cell_count__time0", "size of the same well at treatment"),
    )
)


def write(analysis: Analysis, output: pathlib.Path, *, xlsx: bool = False) -> dict[str, str]:
    """Writes all files; files of an earlier analysis are replaced, edited ones are kept.

    Args:
      analysis: the results.
      output: folder; made if need be.
      xlsx: whether to write an Excel file of the three tables, too.

    Returns:
      Why a file was kept, by name; empty where all were written.

    Raises:
      MissingPackage: matplotlib is not installed.
      OSError: a file cannot be written.
    """
    drawn = list(pictures.draw(analysis))
    tables = _tables(analysis)
    made = {f"{name}.csv": sheets.csv_bytes(*table) for name, table in tables.items()}
    made["columns.md"] = sheets.explanation(
        {f"{name}.csv": columns for name, (columns, _) in tables.items()}
    ).encode()
    made["analysis.html"] = page.render(analysis, drawn)
    made["analysis.json"] = _about(analysis).encode()
    for name, _, figure in drawn:
        made[f"figures/{name}.svg"] = figure.svg
        made[f"figures/{name}.png"] = figure.png
    if xlsx:
        made["analysis.xlsx"] = sheets.xlsx_bytes(tables)
    for folder in (output, output / own_files.FOLDER, output / "figures"):
        folder.mkdir(parents=True, exist_ok=True)
    kept: dict[str, str] = {}
    own_files.write(output, made, kept)
    return kept


def _tables(analysis) -> dict[str, tuple[Sequence[Column], Sequence[dict[str, Any]]]]:
    """Returns columns and rows of each table."""
    fits = [
        row
        for condition in analysis.conditions
        for row in fit_rows.of_condition(condition, analysis.joined.unit)
    ]
    fits += [row for drug in analysis.drugs for row in fit_rows.of_drug(drug)]
    conditions = [
        rows.of_condition(each, analysis.joined, analysis.times) for each in analysis.conditions
    ]
    compared = list(
        comparison_rows.of_conditions(analysis.conditions, analysis.times, analysis.options)
    )
    wells = list(rows.of_wells(analysis.joined, analysis.series, analysis.times))
    tables: dict[str, tuple[Sequence[Column], Sequence[dict[str, Any]]]] = {
        "conditions": (rows.CONDITIONS, conditions),
        "fits": (fit_rows.FITS, fits),
        "wells": (rows.WELLS, wells),
        "comparisons": (comparison_rows.COMPARISONS, compared),
    }
    if analysis.drugs and analysis.times.grown:
        tables["gr_calculator"] = (_GR_COLUMNS, _gr_rows(analysis))
    return tables


def _gr_rows(analysis):
    """Returns one row per well of a drug, in the columns that GR calculator reads."""
    times, found = analysis.times, []
    for drug in analysis.drugs:
        for plate in dict.fromkeys(one.well.plate for one in drug.samples.wells):
            wells = [one for one in drug.samples.wells if one.well.plate == plate]
            own = controls.of_well(wells[0], analysis.series)
            made = gr.gr_calculator_rows(
                drug.cell_line,
                drug.treatment,
                np.array([one.well.concentration for one in wells], float),
                np.array([one.at(times.at) for one in wells], float),
                np.array([one.at(times.t0) for one in wells], float),
                controls.mean_at(own, times.at),
            )
            found += [row._asdict() for row in made]
    return found


def _about(analysis):
    """Returns the text of analysis.json: version, options, times, answers, warnings, methods."""
    about = {
        "spheroid_jax": __version__,
        "options": dataclasses.asdict(analysis.options),
        "map": analysis.layout.source,
        "t0_h": analysis.times.t0,
        "at_h": analysis.times.at,
        "answers": analysis.answers,
        "warnings": analysis.warnings,
        "methods": methods.paragraph(analysis),
    }
    return json.dumps(about, indent=2, ensure_ascii=False, default=str) + "\n"
