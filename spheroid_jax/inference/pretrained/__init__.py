"""Packaged models: trained models that are installed with the package.

The folder pretrained/NAME holds the files model.json and weights-*.npz, as written by
`model_file.save`; `model_file.load("NAME")` reads them. The command

    spheroid package FOLD_FOLDER NAME

adds the model of a trained fold.
"""

import pathlib

FOLDER = pathlib.Path(__file__).parent
# The model that commands use if the user names none, and the one of earlier versions, which finds
# the largest body alone.
DEFAULT, EARLIER = "spheroid-base", "spheroid-small"


def names() -> list[str]:
    """Returns the names of the packaged models, sorted."""
    return sorted(path.parent.name for path in FOLDER.glob("*/model.json"))


def folder(name: str) -> pathlib.Path:
    """Returns the folder of a packaged model; the folder need not exist."""
    return FOLDER / name
