"""Files that a comparison writes into one folder: tables, figures and a page.

index.html                          the page, with all tables and figures
table2.csv  table2.md  table2.tex   the paper's table 2
beyond_DATASET.*  tests.*           more tables, in the same three formats
scores.csv                          one row per model, fold and image
figure5.svg  maps_DATASET.svg       the paper's figures 5, and 3 and 4
tails.svg  training.svg             images that fail; training curves

Scores are in [0, 1] in scores.csv, and in percent everywhere else.
"""

import json
import pathlib
import platform
from collections.abc import Mapping, Sequence

import jax
import numpy as np

from spheroid_jax import __version__
from spheroid_jax.evaluation import held_out, metrics, records, statistics
from spheroid_jax.evaluation.compare import aggregate, results
from spheroid_jax.evaluation.compare.runs import Entry, Images, Run
from spheroid_jax.inference import predict
from spheroid_jax.report import curves, f_scores, maps, page, tables, training
from spheroid_jax.runtime import files

# What a card shows: the field of `metrics.Agreement`, and its factor to the unit shown.
_CARD_SCORES = {
    page.MAIN_SCORE: ("f_score", 100),
    "precision, %": ("precision", 100),
    "recall, %": ("recall", 100),
    "IoU, %": ("iou", 100),
    "boundary F, %": ("boundary_f_score", 100),
    "HD95, px": ("hausdorff95_px", 1),
    "area error, %": ("area_error", 100),
}


def write(
    folder: pathlib.Path,
    entries: Sequence[Entry],
    test: Images,
    runs: Sequence[Run],
    *,
    chosen: Mapping[str, str],
) -> str:
    """Writes all files.

    Args:
      folder: where to write, a `pathlib.Path`; made if missing.
      entries: list of `runs.Entry`s.
      test: `runs.Images` of the sixth partition.
      runs: list of `runs.Run`s.
      chosen: best threshold by dataset, as returned by `baselines.entries`.

    Returns:
      Table 2 as text for a terminal.
    """
    named = _tables(entries, test)
    for name, table in named.items():
        tables.write(folder / name, table)
    records.write(folder / "scores.csv", _records(entries, test))
    figures = _figures(entries, test, runs)
    for name, figure in figures.items():
        with files.replacing(folder / f"{name}.svg", "wb") as file:
            file.write(figure.svg)
    page.write(
        folder / "index.html",
        title=f"Comparison of {', '.join(run.label for run in runs)}",
        summary=_summary(entries, test, chosen),
        tables=[page.Table(_heading(name), table.title, table) for name, table in named.items()],
        figures=figures.values(),
        images=(_scored_image(entries, test, n) for n in range(len(test.names))),
        facts=_facts(runs),
    )
    return tables.terminal(named["table2"])


def _tables(entries, test):
    named = {"table2": results.table_2(entries, test)}
    for dataset in test.datasets:
        named[f"beyond_{dataset}"] = results.beyond(entries, test, dataset)
    named["tests"] = results.tests(entries, test)
    return named


def _heading(name):
    """Returns the heading of a table on the page, by the name of the table in `_tables`."""
    headings = {
        "table2": "Table 2: F-score, precision and recall",
        "tests": "Is the first model better?",
    }
    return headings.get(name) or f"Beyond table 2: {name.removeprefix('beyond_')}"


def _records(entries, test):
    """Yields the scores of each model, fold and image."""
    height, width = test.labels.shape[1:]
    for entry in entries:
        several = len(entry.scores) > 1
        for fold, scores in enumerate(entry.scores):
            for (dataset, image), group, values in zip(
                test.names, test.groups, scores, strict=True
            ):
                yield records.Scored(
                    source=entry.label,
                    fold=fold if several else None,
                    dataset=dataset,
                    image=image,
                    group=group.removeprefix(f"{dataset}/"),
                    height=height,
                    width=width,
                    scores=metrics.Agreement(*values),
                )


def _figures(entries, test, runs):
    by_model = {
        entry.label: {
            dataset: aggregate.field(entry.scores[:, test.of(dataset)], "f_score")
            for dataset in test.datasets
        }
        for entry in entries
    }
    several = [entry for entry in entries if len(entry.scores) > 1]
    figures = {
        "figure5": page.Figure(
            "Figure 5: how many images are segmented how well",
            "Percentage of test images with a higher F-score. Line: median of the folds; band: "
            "lowest to highest fold. Ensembles and thresholds have no folds, and so no band.",
            f_scores.intervals(by_model),
        ),
        "tails": page.Figure(
            "The images that fail",
            "F-score of each test image, averaged over the folds. On the right: the percentage of "
            f"images below {100 * curves.USABLE_F:.0f} %.",
            f_scores.tails(by_model),
        ),
    }
    for dataset in test.datasets:
        figures[f"maps_{dataset}"] = _maps(several, test, dataset)
    curves_of = {
        run.label: [curves.by_metric(fold.read_metrics()) for fold in run.folds] for run in runs
    }
    figures["training"] = page.Figure(
        "How training went",
        "Thin lines: the folds; bold lines: their median. The adversary is right in 50 % of the "
        "cases where it cannot tell predicted masks from true ones.",
        training.training_curves(curves_of),
    )
    return figures


def _maps(entries, test, dataset):
    """Draws the paper's figures 3 and 4, with the best fold of each model."""
    at = test.of(dataset)
    f = {e.label: aggregate.field(e.scores[:, at], "f_score") for e in entries}
    best_fold = {label: int(s.mean(axis=1).argmax()) for label, s in f.items()}
    first = entries[0].label
    examples = []
    for rank, place in held_out.ranked(list(f[first].mean(axis=0))).items():
        n = at[place]
        examples.append(
            maps.Example(
                f"{rank}: {test.names[n][1]}",
                test.grids[n],
                predict.grid_truth(test.labels[n]),
                {e.label: e.maps(n)[best_fold[e.label]] for e in entries},
                {label: s[best_fold[label], place] for label, s in f.items()},
            )
        )
    return page.Figure(
        f"Probability maps, {dataset}",
        f"The images on which {first} has its best, median and worst F, averaged over the folds. "
        "Each model is shown by the fold that is best on this dataset, as in the paper's figures 3 "
        "and 4. Orange: outline of the true mask.",
        maps.probability_maps(examples, list(f)),
    )


def _scored_image(entries, test, position):
    dataset, name = test.names[position]
    label = test.labels[position]
    return page.ScoredImage(
        dataset,
        name,
        test.grids[position],
        predict.grid_truth(label),
        {entry.label: _prediction(entry, position, label) for entry in entries},
    )


def _prediction(entry, position, label):
    scores = entry.scores[:, position]
    f = aggregate.field(scores, "f_score")
    return page.Prediction(
        [predict.grid_mask(m, label) for m in entry.maps(position)],
        {
            shown: factor * float(np.mean(aggregate.field(scores, name)))
            for shown, (name, factor) in _CARD_SCORES.items()
        },
        (100 * float(f.min()), 100 * float(f.max())),
    )


def _summary(entries, test, chosen):
    counts = ", ".join(f"{len(test.of(dataset))} of {dataset}" for dataset in test.datasets)
    groups = len(set(test.groups))
    methods = ", ".join(f"{m} ({dataset})" for dataset, m in chosen.items())
    return [
        f"{len(entries)} models on the test images, which are the sixth partition: {counts}. The "
        f"images come from {groups} groups (wells or specimens); images of one group are not "
        "independent. No model was trained or chosen on these images.",
        "Scores are computed on the networks' grid, after the paper's post-processing: threshold "
        "120 of 255, holes filled, largest body.",
        f"Intervals are 95 % intervals. From {statistics.BOOTSTRAP_GROUPS} groups on, they come "
        f"from a bootstrap ({statistics.DRAWS} draws of folds and groups). With fewer groups, a "
        "bootstrap interval would be too narrow, and a t interval takes its place. Few groups "
        "give wide intervals, and tests that cannot find a difference.",
        "An ensemble averages the probabilities of its five folds. The best threshold is chosen on "
        f"the other five partitions: {methods}.",
    ]


def _facts(runs):
    versions = {
        "spheroid_jax": __version__,
        "jax": jax.__version__,
        "numpy": np.__version__,
        "Python": platform.python_version(),
    }
    lines = [f"{name} {version}" for name, version in versions.items()]
    configs = [
        page.Fact(f"Config of {run.label}", json.dumps(run.config, indent=2, sort_keys=True))
        for run in runs
    ]
    fingerprint = runs[0].fingerprint
    return [
        page.Fact("Versions", "\n".join(lines)),
        page.Fact("Data", f"SHA-256 of all images and masks: {fingerprint}"),
        *configs,
    ]
