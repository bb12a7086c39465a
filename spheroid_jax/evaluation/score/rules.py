"""Rules of scoring: what of a mask is scored, by which scores, and how the table shows them.

`pixels.rules` and `bodies.rules` make the two kinds there are. A mask is boolean where pixels are
scored, and a label image, 0 in the background and one number per body, where bodies are.
"""

import pathlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Shaped
from numpy.typing import ArrayLike

from spheroid_jax.evaluation.matching import InstanceScores
from spheroid_jax.evaluation.metrics import Agreement
from spheroid_jax.inference import predict
from spheroid_jax.inference.model_file import Ensemble, Params
from spheroid_jax.report.tables import Cell

Mask = Shaped[np.ndarray, "H W"]
Scores = Agreement | InstanceScores


class Rules(NamedTuple):
    """What of a mask is scored, and how; the same for truth and prediction.

    Attributes:
      fields: the type of the scores of one image.
      first: name of the score that ranks images and thresholds.
      first_heading: heading of that score in the table; its interval follows it.
      read: function from a path to a mask.
      reduce: function from a mask to the part of the mask that is scored.
      score: function from prediction and truth to the scores of one image.
      of_model: function from a model, an image, the `predict.Prepared` and the model's maps of the
        whole image to the model's mask.
      of_threshold: function from a gray image and the name of a threshold to a mask.
      cells: function from the scores of images to the table's cells by heading, without those of
        `first`.
      smaller: headings of cells of which the smallest is the best.
      unmarked: headings of cells of which none is the best.
      title: title of the table, with {interval} for the name of the interval.
      file: name of the file with the scores of each image.
    """

    fields: type[Agreement] | type[InstanceScores]
    first: str
    first_heading: str
    read: Callable[[pathlib.Path], Mask]
    reduce: Callable[[Mask], Mask]
    score: Callable[[Mask, Mask], Scores]
    of_model: Callable[[Params | Ensemble, np.ndarray, predict.Prepared, np.ndarray], Mask]
    of_threshold: Callable[[Float[np.ndarray, "H W"], str], Mask]
    cells: Callable[[Float[np.ndarray, "N fields"]], dict[str, Cell]]
    smaller: Sequence[str]
    unmarked: Sequence[str]
    title: str
    file: str

    def ranks(self, scores: Float[np.ndarray, "N fields"]) -> Float[np.ndarray, " N"]:
        """Returns the score that ranks images and thresholds, of each image."""
        return scores[:, self.fields._fields.index(self.first)]


def mean(values: ArrayLike) -> float:
    """Returns the mean of the values that are not NaN; NaN if there is none."""
    there = np.asarray(values)
    there = there[~np.isnan(there)]
    return float(np.mean(there)) if len(there) else np.nan
