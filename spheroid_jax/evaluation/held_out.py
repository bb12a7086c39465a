"""A model on the test partition: probability maps, scores, pictures.

DIRECTORY/maps/dataset1/a.png  8-bit probability maps on the grid
DIRECTORY/scores.csv           a line an image
DIRECTORY/examples.png         the best, median and worst image

The directory is a fold's, or that of a run's ensemble.
"""

from spheroid_jax.evaluation import grid_scores, records
from spheroid_jax.inference import predict
from spheroid_jax.report import figures


def score(model, fold, test):
    """Scores a model, and writes all that a comparison needs.

    Args:
      model: `Params` or `Ensemble`.
      fold: `workdir.Fold` of the fold or the ensemble.
      test: grids, labels and names of `Dataset.partition`.

    Returns:
      list of `records.Scored`.
    """
    grids, labels, names = test
    maps = list(grid_scores.probabilities(model, grids))
    rows = grid_scores.score(maps, labels, names)
    grid_scores.write_maps(fold.maps, maps, names)
    figures.segmentations(fold.examples, _examples(maps, rows, grids, labels))
    # Last: where there are scores, the rest is there.
    records.write(fold.scores, rows)
    return rows


def read_scores(fold):
    """The rows that `score` wrote."""
    return records.read(fold.scores)


def read_maps(fold, names):
    """The probability maps that `score` wrote, of these images."""
    return list(grid_scores.read_maps(fold.maps, names))


def ranked(values):
    """Positions of the best, the median and the worst of some scores.

    Args:
      values: one score an image; more is better.

    Returns:
      dict from "best", "median", "worst" to an index.
    """
    order = sorted(range(len(values)), key=lambda n: -values[n])
    return {"best": order[0], "median": order[len(order) // 2], "worst": order[-1]}


def _examples(maps, rows, grids, labels):
    """The best, the median and the worst image of each dataset."""
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
