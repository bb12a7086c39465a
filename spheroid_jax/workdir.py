"""Paths, readers and writers of the files in a work directory.

    WORKDIR/config.json                 settings of the run
    WORKDIR/partitions.json             six partitions of each dataset, and hashes of the images
    WORKDIR/fold_2/.lock                lock file of the process that works on the fold
    WORKDIR/fold_2/checkpoints/         the best and the last checkpoint, written by orbax
    WORKDIR/fold_2/metrics.jsonl        training metrics, one line per record
    WORKDIR/fold_2/events.out.tfevents.*  the same metrics for TensorBoard
    WORKDIR/fold_2/model/               the trained model (`inference.model_file`)
    WORKDIR/fold_2/scores.csv           scores, one row per test image (`evaluation.records`)
    WORKDIR/fold_2/maps/                probability maps of the test images
    WORKDIR/fold_2/examples.png         picture of the best, the median and the worst test image
    WORKDIR/fold_2/diverged.json        the error, if the loss became NaN or infinite
    WORKDIR/fold_2/init.json            hash and validation F-scores of fine-tuning's initial model
    WORKDIR/fold_2/before.csv           test scores of fine-tuning's initial model
    WORKDIR/ensemble/                   scores.csv, maps/ and examples.png of the five folds' mean
    WORKDIR/ensemble/members.json       hashes of the five models
    WORKDIR/report/                     the comparison page, unless another folder is chosen
    WORKDIR/study.csv  study.md  study.svg  report of a config with several variants

No other module contains one of these names.
"""

import contextlib
import dataclasses
import json
import pathlib
from typing import Any

from spheroid_jax.errors import UserError
from spheroid_jax.runtime import files

FOLDS = 5


class WorkdirError(UserError, ValueError):
    """A damaged file in a work directory; the message names the file."""


@dataclasses.dataclass(frozen=True)
class Fold:
    """The folder of one fold, or of the ensemble of all folds.

    Attributes:
      path: the folder, which need not exist yet.
    """

    path: pathlib.Path

    @property
    def lock(self):
        """Path of the file that a process locks while it works on the fold."""
        return self.path / ".lock"

    @property
    def checkpoints(self):
        """Path of the folder with the training checkpoints."""
        return self.path / "checkpoints"

    @property
    def model(self):
        """Path of the folder with the trained model."""
        return self.path / "model"

    @property
    def scores(self):
        """Path of the table of scores on the test images."""
        return self.path / "scores.csv"

    @property
    def before(self):
        """Path of the table of scores on the test images before fine-tuning."""
        return self.path / "before.csv"

    @property
    def maps(self):
        """Path of the folder with the probability maps of the test images."""
        return self.path / "maps"

    @property
    def examples(self):
        """Path of the picture of the best, the median and the worst test image."""
        return self.path / "examples.png"

    @property
    def is_scored(self):
        """Whether the table of scores exists, which is the last file that a fold gets."""
        return self.scores.is_file()

    @property
    def has_diverged(self):
        """Whether training ended because its loss was NaN or infinite."""
        return self._diverged.is_file()

    def write_diverged(self, message):
        """Records that training diverged, with the message of the error."""
        files.write_json(self._diverged, {"message": message})

    def clear_diverged(self):
        """Removes the record that an earlier training diverged."""
        self._diverged.unlink(missing_ok=True)

    def read_initial(self):
        """Reads the record of the model that fine-tuning started from.

        Returns:
          dict of "sha256" (hash of the weights) and "validation" (F-scores by dataset); None if
          fine-tuning has not begun.

        Raises:
          WorkdirError: the file is damaged.
        """
        if not self._initial.is_file():
            return None
        return _read_json(self._initial, ("sha256", "validation"))

    def write_initial(self, sha256, validation):
        """Writes the record that `read_initial` reads."""
        files.write_json(self._initial, {"sha256": sha256, "validation": validation})

    def read_metrics(self):
        """Reads the records of training.

        If training still runs or was killed, the last line may be incomplete. An incomplete last
        line is left out.

        Returns:
          list of dicts, each with "step" and with numbers by name.

        Raises:
          WorkdirError: a line before the last is damaged.
        """
        with open(self._metrics, encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
        records = []
        for number, line in enumerate(lines, start=1):
            record = _record(line)
            if record is None and number < len(lines):
                raise WorkdirError(f"{self._metrics}, line {number}: damaged: {line[:80]!r}")
            if record is not None:
                records.append(record)
        return records

    @contextlib.contextmanager
    def open_metrics(self, *, keep_until):
        """Opens the records of training for appending.

        Args:
          keep_until: last step whose records are kept, because a resumed training writes the
            records of later steps again; -1 keeps no record.

        Yields:
          Function `append(step, values)`, which writes one line to the disk.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        self._drop_metrics_after(keep_until)
        with open(self._metrics, "a", encoding="utf-8") as file:

            def append(step, values):
                file.write(json.dumps({"step": step, **values}) + "\n")
                file.flush()

            yield append

    def read_members(self):
        """Reads the hashes of the models that the ensemble consisted of; [] if it is not scored."""
        if not self._members.is_file():
            return []
        members = _read_json(self._members)
        if not isinstance(members, list):
            raise WorkdirError(f"{self._members}: damaged: not a list of hashes")
        return members

    def write_members(self, hashes):
        """Writes the hashes that `read_members` reads."""
        files.write_json(self._members, hashes)

    def _drop_metrics_after(self, step):
        if not self._metrics.exists():
            return
        kept = []
        for line in self._metrics.read_text("utf-8", errors="replace").splitlines():
            record = _record(line)
            if record is None:
                break  # The process was killed while it wrote this line.
            if record["step"] <= step:
                kept.append(line)
        with files.replacing(self._metrics) as file:
            file.writelines(f"{line}\n" for line in kept)

    @property
    def _metrics(self):
        return self.path / "metrics.jsonl"

    @property
    def _diverged(self):
        return self.path / "diverged.json"

    @property
    def _initial(self):
        return self.path / "init.json"

    @property
    def _members(self):
        return self.path / "members.json"


@dataclasses.dataclass(frozen=True)
class Workdir:
    """A work directory, the folder of all folds of one config.

    Attributes:
      path: the folder, which need not exist yet.
    """

    path: Any  # A path of any type; `__post_init__` makes a `pathlib.Path` of it.

    def __post_init__(self):
        """Converts the path to a `pathlib.Path`."""
        object.__setattr__(self, "path", pathlib.Path(self.path))

    def fold(self, number):
        """Returns the `Fold` with a number from 0 to 4."""
        return Fold(self.path / f"fold_{number}")

    @property
    def folds(self):
        """All five `Fold`s; their folders need not exist."""
        return [self.fold(number) for number in range(FOLDS)]

    @property
    def ensemble(self):
        """The `Fold` with the scores of the ensemble, the mean of the five models."""
        return Fold(self.path / "ensemble")

    @property
    def report(self):
        """Path of the default folder of the comparison page."""
        return self.path / "report"

    def study(self, suffix):
        """Returns the path of a study's report with the suffix "csv", "md" or "svg"."""
        return self.path / f"study.{suffix}"

    @property
    def has_config(self):
        """Whether training has begun in this work directory."""
        return self._config.is_file()

    def read_config(self):
        """Reads the settings of the run, as nested dicts.

        Raises:
          FileNotFoundError: the folder is not a work directory.
          WorkdirError: the file is damaged.
        """
        if not self.has_config:
            raise FileNotFoundError(
                f"{self.path}: not a work directory: it has no {self._config.name}"
            )
        config = _read_json(self._config)
        if not isinstance(config, dict):
            raise WorkdirError(f"{self._config}: damaged: not the settings of a run")
        return config

    def write_config(self, config):
        """Writes the settings of the run, nested dicts."""
        files.write_json(self._config, config)

    def read_partitions(self):
        """Reads the partitions of the images.

        Returns:
          dict of "partitions" (six lists of stems by dataset) and "digests" (by dataset and stem, a
          hash of image and mask); None if no fold has been trained.

        Raises:
          WorkdirError: the file is damaged.
        """
        if not self._partitions.is_file():
            return None
        written = _read_json(self._partitions, ("partitions", "digests"))
        parts = written["partitions"]
        if not all(isinstance(value, dict) for value in written.values()) or not all(
            isinstance(lists, list) and all(isinstance(stems, list) for stems in lists)
            for lists in parts.values()
        ):
            raise WorkdirError(f"{self._partitions}: damaged: not lists of stems by dataset")
        return written

    def write_partitions(self, partitions, digests):
        """Writes the partitions that `read_partitions` reads."""
        files.write_json(self._partitions, {"partitions": partitions, "digests": digests})

    @property
    def _config(self):
        return self.path / "config.json"

    @property
    def _partitions(self):
        return self.path / "partitions.json"


def _record(line):
    """Parses one line of metrics; returns None if the line is damaged."""
    try:
        record = json.loads(line)
    except ValueError:
        return None
    if isinstance(record, dict) and isinstance(record.get("step"), int):
        return record
    return None


def _read_json(path, keys=()):
    """Reads a JSON file; if keys are given, the file must hold a dict that has them."""
    try:
        value = json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise WorkdirError(
            f"{path}: damaged: {error}; restore the file, or give another --workdir"
        ) from error
    missing = [key for key in keys if not isinstance(value, dict) or key not in value]
    if missing:
        raise WorkdirError(
            f"{path}: damaged: no {', '.join(missing)} in it; restore the file, or give another "
            "--workdir"
        )
    return value
