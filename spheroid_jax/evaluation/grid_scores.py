"""Scores of a model on the network's grid (paper, section 3.1), and files of probability maps.

Probability maps are scored like those of the paper: rounded to 8 bit, thresholded, and reduced to
the largest body. So maps that were written to disk and read again give the same scores.
"""

import pathlib
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from jaxtyping import Float, Float32, UInt8

from spheroid_jax import images
from spheroid_jax.evaluation import matching, metrics, records
from spheroid_jax.inference import instances, postprocess, predict
from spheroid_jax.inference.instances import Maps
from spheroid_jax.inference.model_file import Ensemble, Params
from spheroid_jax.runtime import files

# Images per dispatch. The last batch is filled up, so that one compiled program serves all batches.
_BATCH = 4

# The name of an image: its dataset, and its file name without the suffix.
Name = tuple[str, str]


def probabilities(
    params: Params | Ensemble, grids: Float32[np.ndarray, "n s s"]
) -> Iterator[Float32[np.ndarray, "s s"]]:
    """Computes the probability maps of any number of images.

    Args:
      params: the model.
      grids: images on the grid, as returned by `images.preprocess`.

    Yields:
      One probability map per image.
    """
    yield from _batched(lambda batch: predict.grid_probability(params, batch), grids)


def _batched(compute, grids):
    """Yields what `compute` returns for each of the grids, which it gets in batches of one size."""
    for start in range(0, len(grids), _BATCH):
        batch = np.asarray(grids[start : start + _BATCH])
        padding = ((0, _BATCH - len(batch)), (0, 0), (0, 0))
        yield from np.asarray(compute(np.pad(batch, padding)))[: len(batch)]


def score(
    maps: Iterable[Float32[np.ndarray, "s s"]],
    labels: Iterable[UInt8[np.ndarray, "s s"]],
    names: Sequence[Name],
) -> list[records.Scored]:
    """Scores each image on the grid.

    Args:
      maps: one probability map per image.
      labels: ground truth on the grid, as returned by `images.mask_to_grid`.
      names: pairs (dataset, image).

    Returns:
      One `records.Scored` per image, in the same order.
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


def validation_scores(
    params: Params | Ensemble,
    grids: Float32[np.ndarray, "n s s"],
    labels: UInt8[np.ndarray, "n s s"],
    names: Sequence[Name],
) -> dict[str, float]:
    """Computes the mean score of each dataset by which a checkpoint is chosen.

    The score of an image is the F-score of the largest body. For a model with markers it is the
    mean of this F-score and of F1 of all bodies at an IoU of 0.5: the foreground alone cannot tell
    whether bodies that touch are told apart.

    Args:
      params: the model.
      grids: images on the grid, as returned by `images.preprocess`.
      labels: ground truth on the grid, as returned by `images.mask_to_grid`.
      names: pairs (dataset, image).

    Returns:
      dict from dataset to mean score.
    """
    by_dataset = {}
    found = _batched(lambda batch: predict.grid_maps(params, batch), grids)
    for (dataset, _), maps, label in zip(names, found, labels, strict=True):
        value = metrics.pixel_scores(*_masks(maps[0], label)).f_score
        if predict.has_markers(params):
            value = (value + _instances_f1(maps, label)) / 2
        by_dataset.setdefault(dataset, []).append(value)
    return {name: float(np.mean(by_dataset[name])) for name in by_dataset}


def _instances_f1(maps, label):
    """Scores all bodies on the grid; the true ones are told apart by their true markers."""
    rows, columns = np.ix_((label != images.OUTSIDE).any(1), (label != images.OUTSIDE).any(0))
    true = (images.is_body(label), images.is_marker(label) & images.is_body(label))
    ours, theirs = (
        instances.label_instances(Maps(*(each[rows, columns].astype(np.float32) for each in pair)))
        for pair in (maps[:2], true)
    )
    return matching.instance_scores(ours, theirs).f1_50


def mean_over_datasets(f_scores: Mapping[str, float]) -> float:
    """Returns the mean of the datasets' mean F-scores, in which each dataset counts the same.

    Args:
      f_scores: dict from dataset to mean F-score.
    """
    return float(np.mean(list(f_scores.values())))


def write_maps(
    directory: str | pathlib.Path,
    maps: Iterable[Float32[np.ndarray, "s s"]],
    names: Sequence[Name],
):
    """Writes probability maps as 8-bit PNG files (paper, section 2.5).

    Args:
      directory: folder that gets one folder per dataset, with one file per image.
      maps: probability maps, with values in [0, 1].
      names: pairs (dataset, image).
    """
    for (dataset, image), probability in zip(names, maps, strict=True):
        path = pathlib.Path(directory) / dataset / f"{image}.png"
        with files.replacing(path, "wb") as file:
            images.write_gray(file, postprocess.eight_bit(probability))


def read_maps(
    directory: str | pathlib.Path, names: Sequence[Name]
) -> Iterator[Float[np.ndarray, "s s"]]:
    """Reads the probability maps that `write_maps` wrote.

    Args:
      directory: the folder given to `write_maps`.
      names: pairs (dataset, image).

    Yields:
      One probability map per image, with values in [0, 1].
    """
    for dataset, image in names:
        path = pathlib.Path(directory) / dataset / f"{image}.png"
        yield images.read_image(path).astype(np.float32) / 255


def _masks(probability, label):
    """Returns the predicted mask and the true mask on the grid."""
    return predict.grid_mask(probability, label), predict.grid_truth(label)
