"""Training runs to compare: their work directories, test images and scores."""

import collections
import hashlib
import json
import pathlib
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8

from spheroid_jax.data import dataset as datasets
from spheroid_jax.data import partitions, source
from spheroid_jax.errors import UserError
from spheroid_jax.evaluation import grid_scores, held_out
from spheroid_jax.inference import model_file
from spheroid_jax.runtime import cache
from spheroid_jax.workdir import Workdir


class Images(NamedTuple):
    """N images with their true masks, on the grid.

    Attributes:
      names: N pairs (dataset, image).
      groups: N labels; images of one group are not independent.
      grids: grayscale images, (N, S, S) float32 in [0, 1].
      labels: labels such as `images.FOREGROUND` and `images.OUTSIDE`, (N, S, S) uint8.
    """

    names: list[tuple[str, str]]
    groups: list[str]
    grids: Float32[np.ndarray, "N S S"]
    labels: UInt8[np.ndarray, "N S S"]

    def of(self, dataset: str) -> np.ndarray:
        """Returns the positions of a dataset's images."""
        named = [name for name, _ in self.names]
        return np.flatnonzero(np.array(named) == dataset)

    @property
    def datasets(self) -> list[str]:
        """Names of the datasets, in order of appearance."""
        return list(dict.fromkeys(dataset for dataset, _ in self.names))


class Entry(NamedTuple):
    """A row of the comparison: a model, an ensemble or a threshold.

    Attributes:
      label: the row's name.
      scores: (folds, N, fields of `metrics.Agreement`).
      maps: function from an image's position to a list of probability maps (S, S), one per fold.
      run: the `Run` of the model or ensemble; None for a threshold.
    """

    label: str
    scores: Float[np.ndarray, "folds N fields"]
    maps: Callable
    run: tuple | None


class CompareError(UserError, ValueError):
    """Runs cannot be compared with one another."""


class Run(NamedTuple):
    """A training run.

    Attributes:
      label: the run's name in tables.
      workdir: the run's `Workdir`.
      config: the run's config, nested dicts.
      partitions: dict of "partitions" and "digests", each by dataset.
    """

    label: str
    workdir: Workdir
    config: dict
    partitions: dict

    @property
    def folds(self):
        """The run's five `workdir.Fold`s."""
        return self.workdir.folds

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the digests of all images and masks of the run."""
        digests = json.dumps(self.partitions["digests"], sort_keys=True)
        return hashlib.sha256(digests.encode()).hexdigest()


def open_runs(workdirs: Iterable[str | pathlib.Path]) -> list[Run]:
    """Opens work directories, and checks that their runs can be compared.

    Returns:
      list of `Run`s.

    Raises:
      FileNotFoundError: a path is not a work directory, or a fold is missing.
      CompareError: the test images, partitions or grids of the runs differ, or a work directory is
        named twice.
    """
    runs = [_open_run(Workdir(workdir)) for workdir in workdirs]
    counts = collections.Counter(run.label for run in runs)
    runs = [
        run._replace(label=str(run.workdir.path)) if counts[run.label] > 1 else run for run in runs
    ]
    if len({run.workdir.path.resolve() for run in runs}) < len(runs):
        raise CompareError("a work directory is named twice")
    problems = [line for run in runs for line in _missing_folds(run)]
    if problems:
        raise FileNotFoundError("; ".join(problems))
    for run in runs[1:]:
        _check_same_test(runs[0], run)
    return runs


def read_images(
    runs: Sequence[Run], root: str | pathlib.Path | None = None
) -> tuple[Images, Images]:
    """Reads the images of the runs.

    Args:
      runs: the runs, as returned by `open_runs`.
      root: the data root, if it is not the one in the first run's config.

    Returns:
      `Images` of the sixth partition, and `Images` of the other five together.

    Raises:
      WorkdirError: the data root is not the one that the runs were started with.
    """
    data = runs[0].config["data"]
    place = cache.folder(data["cache"])
    root = source.open_root(
        root or data["root"],
        place,
        runs[0].config["synthetic"],
        # Configs of older versions do not have this value.
        beside=data.get("synthetic_beside", False),
    )
    opened = datasets.open_dataset(
        root,
        dict.fromkeys(runs[0].partitions["partitions"], 1.0),
        size=data["size"],
        stream="numpy",
        cache=place,
        workdir=runs[0].workdir,
    )
    numbers = range(partitions.PARTITIONS)
    rest = [number for number in numbers if number != partitions.TEST]
    return _gather(opened, [partitions.TEST]), _gather(opened, rest)


def entries(runs: Iterable[Run], test: Images) -> list[Entry]:
    """Makes two entries per run: its folds, and their ensemble.

    The ensemble is scored now, unless the run already has scores of the ensemble of these models.

    Returns:
      list of `Entry`s.

    Raises:
      CompareError: a run has scores of other images than the test images.
    """
    rows = []
    for run in runs:
        rows.append(_entry(run.label, run, run.folds, test))
        folder = _ensemble(run, test)
        rows.append(_entry(f"{run.label}, ensemble", run, [folder], test))
    return rows


def _open_run(workdir):
    config, parts = workdir.read_config(), workdir.read_partitions()
    if parts is None:
        raise FileNotFoundError(f"{workdir.path}: no fold has been trained there")
    return Run(workdir.path.resolve().name, workdir, config, parts)


def _missing_folds(run):
    for fold in run.folds:
        if not fold.is_scored:
            yield (
                f"{fold.path}: no scores; launch.py --workdir={run.workdir.path} "
                "--fold=all finishes the folds that are not"
            )


def _check_same_test(first, other):
    """Raises `CompareError` unless two runs have the same grid, images and partitions."""
    sizes = [run.config["data"]["size"] for run in (first, other)]
    if sizes[0] != sizes[1]:
        raise CompareError(
            f"{first.workdir.path} and {other.workdir.path} have different grids: "
            f"data.size {sizes[0]} and {sizes[1]}; scores of one cannot stand "
            "beside scores of the other"
        )
    for what, meaning in (("digests", "images or masks"), ("partitions", "partitions")):
        mine, theirs = first.partitions[what], other.partitions[what]
        if mine != theirs:
            where = sorted(
                name for name in mine.keys() | theirs.keys() if mine.get(name) != theirs.get(name)
            )
            raise CompareError(
                f"{first.workdir.path} and {other.workdir.path} were trained on "
                f"different {meaning} ({', '.join(where)}); train both from "
                "one data root"
            )


def _gather(opened, numbers):
    parts = [opened.partition(number) for number in numbers]
    group_of = {
        (pair.dataset, pair.stem): (pair.dataset, pair.group) for pair in opened.samples.pairs
    }
    names = [name for part in parts for name in part[2]]
    return Images(
        names,
        ["/".join(group_of[name]) for name in names],
        *(np.concatenate([part[n] for part in parts]) for n in range(2)),
    )


def _entry(label, run, folders, test):
    rows = [_scores_of(folder, test.names) for folder in folders]

    def maps(position):
        return [held_out.read_maps(folder, [test.names[position]])[0] for folder in folders]

    return Entry(label, np.array(rows), maps, run)


def _scores_of(folder, names):
    """Returns the scores of the named images, in their order."""
    rows = held_out.read_scores(folder)
    by_name = {(row.dataset, row.image): row.scores for row in rows}
    if by_name.keys() != set(names):
        raise CompareError(
            f"{folder.scores}: scores of {len(by_name)} images "
            f"that are not the {len(names)} of the test partition; "
            "launch.py --mode=evaluate writes them anew"
        )
    return [by_name[name] for name in names]


def _ensemble(run, test):
    """Returns the ensemble's folder, with scores of the models that exist now."""
    ensemble = run.workdir.ensemble
    members = [model_file.digest(fold.path) for fold in run.folds]
    if ensemble.is_scored and ensemble.read_members() == members:
        return ensemble
    ensemble.scores.unlink(missing_ok=True)
    held_out.score(
        model_file.load(run.workdir.path), ensemble, (test.grids, test.labels, test.names)
    )
    ensemble.write_members(members)
    return ensemble


def baseline_entry(label: str, masks: Sequence[Bool[np.ndarray, "S S"]], test: Images) -> Entry:
    """Makes an entry from masks that no run predicted.

    Args:
      label: the entry's name.
      masks: N masks, (S, S) boolean.
      test: `Images` of the sixth partition.
    """
    maps = (mask.astype(np.float32) for mask in masks)
    rows = grid_scores.score(maps, test.labels, test.names)
    return Entry(
        label,
        np.array([[row.scores for row in rows]]),
        lambda position: [masks[position].astype(np.float32)],
        None,
    )
