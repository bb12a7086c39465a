"""Trained models that come with the package, each by its name.

    pretrained/NAME/model.json  weights-*.npz

are what `params.save` writes; `params.load("NAME")` reads them. The command

    spheroid package FOLD_FOLDER NAME

adds a trained fold's model.
"""

import pathlib

FOLDER = pathlib.Path(__file__).parent


def names():
    """The names of the models that are there, sorted."""
    return sorted(path.parent.name for path in FOLDER.glob("*/model.json"))


def folder(name):
    """The folder of a packaged model, be it there or not."""
    return FOLDER / name
