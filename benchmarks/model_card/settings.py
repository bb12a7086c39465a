"""What is measured: the model, the images, and where results go."""

import pathlib
from typing import NamedTuple


class Given(NamedTuple):
    """The arguments of the command.

    Attributes:
      model: name of a packaged model, or a model's folder.
      data: folder with the sets of images.
      out: folder of the results.
      every: every n-th image is measured.
    """

    model: str
    data: pathlib.Path
    out: pathlib.Path
    every: int

    @property
    def name(self):
        """The model's name in tables and file names."""
        return pathlib.Path(self.model).resolve().name

    def count(self, images):
        """Number of drawn images in the place of `images`."""
        return -(-images // self.every)
