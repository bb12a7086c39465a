"""Scores of a model on the test partition, with probability maps and a picture of examples.

    FOLD/maps/dataset1/a.png  probability map of one image: 8 bit, on the grid
    FOLD/scores.csv           one row per image
    FOLD/examples.png         the best, the median and the worst image of each dataset

FOLD is the folder of one fold, or of the ensemble of all folds.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from spheroid_jax.evaluation import grid_scores, records
from spheroid_jax.inference import predict
from spheroid_jax.inference.model_file import Ensemble, Params
from spheroid_jax.report import figures
from spheroid_jax.workdir import Fold


def score(model: Params | Ensemble, fold: Fold, test: Sequence) -> list[records.Scored]:
    """Scores a model on the test images, and writes its scores, maps and examples.

    Args:
      model: the model.
      fold: the fold or the ensemble.
      test: grids, labels and names of the test images, as returned by `Dataset.partition`.

    Returns:
      One `records.Scored` per image.
    """
    grids, labels, names = test
    maps = list(grid_scores.probabilities(model, grids))
    rows = grid_scores.score(maps, labels, names)
    grid_scores.write_maps(fold.maps, maps, names)
    figures.segmentations(fold.examples, _examples(maps, rows, grids, labels))
    # Written last: where there are scores, the other files are complete.
    records.write(fold.scores, rows)
    return rows


def read_scores(fold: Fold) -> list[records.Scored]:
    """Reads the scores that `score` wrote."""
    return records.read(fold.scores)


def read_maps(fold: Fold, names: Sequence[grid_scores.Name]) -> list[Float[np.ndarray, "s s"]]:
    """Reads the probability maps that `score` wrote, for images given as (dataset, image)."""
    return list(grid_scores.read_maps(fold.maps, names))


def ranked(values: Sequence[float]) -> dict[str, int]:
    """Finds the best, the median and the worst score.

    Args:
      values: scores; higher is better.

    Returns:
      dict from "best", "median" and "worst" to an index into `values`.
    """
    order = sorted(range(len(values)), key=lambda n: -values[n])
    return {"best": order[0], "median": order[len(order) // 2], "worst": order[-1]}


def _examples(maps, rows, grids, labels):
    """Returns the `figures.Example`s: the best, the median and the worst image of each dataset."""
    examples = []
    for dataset in sorted({row.dataset for row in rows}):
        own = [n for n, row in enumerate(rows) if row.dataset == dataset]
        chosen = ranked([rows[n].scores.f_score for n in own])
        for rank, n in ((rank, own[at]) for rank, at in chosen.items()):
            name = f"{dataset}/{rows[n].image}"
            examples.append(
                figures.Example(
                    f"{name}\n{rank}, F {rows[n].scores.f_score:.3f}",
                    grids[n],
                    maps[n],
                    predict.grid_mask(maps[n], labels[n]),
                    predict.grid_truth(labels[n]),
                )
            )
    return examples
