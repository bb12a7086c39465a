"""Scores of a model on images with ground truth (paper, section 3.1).

A probability map is scored as the paper does: stored as 8 bit, thresholded
and cleaned on the network's grid. So maps that were written to disk give the
scores that they gave when they were computed.
"""

import pathlib

import numpy as np

from spheroid_jax import images
from spheroid_jax.evaluation import metrics, records
from spheroid_jax.inference import postprocess, predict
from spheroid_jax.runtime import files

# Images a dispatch; the last batch is filled up, so one program serves all.
_BATCH = 4


def probabilities(params, grids):
    """Computes the probability maps of any number of images.

    Args:
      params: `Params` or `Ensemble`.
      grids: (N, S, S), float32, of `images.preprocess`.

    Yields:
      N arrays (S, S), float32.
    """
    for start in range(0, len(grids), _BATCH):
        batch = np.asarray(grids[start : start + _BATCH])
        padding = ((0, _BATCH - len(batch)), (0, 0), (0, 0))
        full = np.pad(batch, padding)
        yield from np.asarray(predict.grid_probability(params, full))[: len(batch)]


def score(maps, labels, names):
    """Scores each image on the grid.

    Args:
      maps: N probability maps (S, S).
      labels: (N, S, S), uint8, of `images.mask_to_grid`.
      names: N pairs (dataset, image).

    Returns:
      N `records.Scored`s, in order.
    """
    return [
        records.Scored(
            dataset=dataset,
            image=image,
            height=label.shape[0],
            width=label.shape[1],
            scores=metrics.agreement(*_masks(probability, label)),
        )
        for (dataset, image), probability, label in zip(names, maps, labels, strict=True)
    ]


def validation_f_scores(params, grids, labels, names):
    """The mean F-score of each dataset, without the slower scores.

    Args:
      params: `Params`.
      grids: (N, S, S), float32, of `images.preprocess`.
      labels: (N, S, S), uint8, of `images.mask_to_grid`.
      names: N pairs (dataset, image).

    Returns:
      dict from dataset to its mean F-score.
    """
    by_dataset = {}
    maps = probabilities(params, grids)
    for (dataset, _), probability, label in zip(names, maps, labels, strict=True):
        pixels = metrics.pixel_scores(*_masks(probability, label))
        by_dataset.setdefault(dataset, []).append(pixels.f_score)
    return {name: float(np.mean(by_dataset[name])) for name in by_dataset}


def mean_over_datasets(f_scores):
    """Averages F-scores so that each dataset counts the same.

    Args:
      f_scores: dict from dataset to its mean F-score.

    Returns:
      float.
    """
    return float(np.mean(list(f_scores.values())))


def write_maps(directory, maps, names):
    """Stores probability maps as 8-bit images (paper, section 2.5).

    Args:
      directory: gets a folder a dataset, and in it a PNG an image.
      maps: N arrays (S, S), in [0, 1].
      names: N pairs (dataset, image).
    """
    for (dataset, image), probability in zip(names, maps, strict=True):
        path = pathlib.Path(directory) / dataset / f"{image}.png"
        with files.replacing(path, "wb") as file:
            images.write_gray(file, postprocess.eight_bit(probability))


def read_maps(directory, names):
    """Reads what `write_maps` wrote.

    Yields:
      N arrays (S, S), float32 in [0, 1].
    """
    for dataset, image in names:
        path = pathlib.Path(directory) / dataset / f"{image}.png"
        yield images.read_image(path).astype(np.float32) / 255


def _masks(probability, label):
    """The predicted and the true body on the grid."""
    return predict.grid_mask(probability, label), predict.grid_truth(label)
