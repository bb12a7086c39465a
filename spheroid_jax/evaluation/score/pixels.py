"""Rules of scoring pixels: of the largest body of a mask, or of the whole mask."""

import functools
import pathlib

import numpy as np
from jaxtyping import Bool, Float

from spheroid_jax import images
from spheroid_jax.evaluation import metrics
from spheroid_jax.evaluation.score.rules import Rules, mean
from spheroid_jax.inference import conventional, postprocess, segmentation
from spheroid_jax.report.tables import Cell, percent

_DISTANCE, _AREA = "HD95, px", "area error"


def rules(*, labels: bool = False, all_objects: bool = False) -> Rules:
    """Makes the rules.

    Args:
      labels: whether masks are label images, whose objects may touch.
      all_objects: whether masks are scored as they are, instead of their largest bodies.
    """
    subject = "All objects" if all_objects else "The largest body"
    return Rules(
        fields=metrics.Agreement,
        first="f_score",
        first_heading="F",
        read=functools.partial(_read, labels, all_objects),
        reduce=_whole if all_objects else _largest_body,
        score=_score,
        of_model=_of_model,
        of_threshold=conventional.segment,
        cells=_cells,
        smaller=(_DISTANCE, _AREA),
        unmarked=(),
        title=f"{subject} of truth and prediction; percent; F with {{interval}}; HD95 in px at a "
        f"longer side of {postprocess.PAPER_SIDE_PX}",
        file="scores.csv",
    )


def _read(labels: bool, all_objects: bool, path: pathlib.Path) -> Bool[np.ndarray, "H W"]:
    """Reads a mask; from a label image, the largest object."""
    if not labels:
        return images.read_mask(path)
    numbered = images.read_labels(path)
    if all_objects or not numbered.any():
        return numbered > 0
    numbers, areas = np.unique(numbered[numbered > 0], return_counts=True)
    return numbered == numbers[areas.argmax()]


def _whole(mask):
    return mask


def _largest_body(mask):
    """Returns the largest object, however small, with its holes filled."""
    return postprocess.single_body(mask, min_area_px=1)


def _score(prediction, truth):
    scores = metrics.agreement(prediction, truth)
    # In pixels of the paper's frame, so that images of all sizes can be averaged.
    scale = postprocess.PAPER_SIDE_PX / max(truth.shape)
    return scores._replace(hausdorff95_px=scale * scores.hausdorff95_px)


def _of_model(model, image, prepared, maps):
    return segmentation.finish(model, image, prepared, maps).mask


def _cells(scores: Float[np.ndarray, "N fields"]) -> dict[str, Cell]:
    fields = metrics.Agreement(*scores.T)
    return {
        "P": percent(mean(fields.precision)),
        "R": percent(mean(fields.recall)),
        "IoU": percent(mean(fields.iou)),
        "boundary F": percent(mean(fields.boundary_f_score)),
        _DISTANCE: Cell(mean(fields.hausdorff95_px)),
        _AREA: percent(mean(np.abs(fields.area_error))),
    }
