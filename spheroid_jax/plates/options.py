"""What a user can choose in the analysis of plates."""

import dataclasses
import os

from spheroid_jax.plates.regrowth import Rule


@dataclasses.dataclass(frozen=True)
class PlateOptions:
    """Choices of an analysis; the defaults are those of `spheroid plate`.

    Attributes:
      measure: size to analyse, a name in `observations.MEASURES`.
      bodies: which bodies of an image count, a name in `observations.BODIES`.
      times: CSV file with the time, and perhaps the well, of each image; None: names say it.
      interval_h: hours between the images of a series in one file.
      only_ok: whether images with a verdict other than "ok" are left out.
      wells: number of wells of each plate; None for the smallest plate that holds the map.
      t0_h: time of treatment in hours; None for the first time.
      at_h: time in hours at which conditions are compared; None for the last time.
      window_h: first and last hour of the regression for growth rates; None for all times from t0.
      multiple: multiple of the size at treatment to which growth delay is measured.
      rule: what counts as regrowth.
      robust: whether outlying responses count less in the fit of dose-response curves.
      test: "welch" or "mann-whitney".
      pairs: whether all pairs of conditions are compared, too, not only each with the control.
    """

    measure: str = "volume_sphere"
    bodies: str = "largest"
    times: str | os.PathLike | None = None
    interval_h: float | None = None
    only_ok: bool = False
    wells: int | None = None
    t0_h: float | None = None
    at_h: float | None = None
    window_h: tuple[float, float] | None = None
    multiple: float = 5.0
    rule: Rule = Rule()
    robust: bool = False
    test: str = "welch"
    pairs: bool = False
