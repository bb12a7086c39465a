"""Paths, readers and writers of the files in a work directory.

    WORKDIR/config.json                 settings of the run
    WORKDIR/partitions.json             six partitions of each dataset, and hashes of the images
    WORKDIR/fold_2/.lock                held while a process works on the fold
    WORKDIR/fold_2/checkpoints/         written by orbax: the best and the last
    WORKDIR/fold_2/metrics.jsonl        one line per record of training
    WORKDIR/fold_2/events.out.tfevents.*  the same for TensorBoard
    WORKDIR/fold_2/model/               what `load` takes (`inference.model_file`)
    WORKDIR/fold_2/scores.csv           one row per test image (`evaluation.records`)
    WORKDIR/fold_2/maps/  examples.png  probability maps of the test images; the best and the worst
    WORKDIR/fold_2/diverged.json        in place of scores where the loss became NaN or infinite
    WORKDIR/fold_2/init.json  before.csv  the model that fine-tuning started from, and its scores
    WORKDIR/ensemble/members.json       hashes of the five models; beside them maps, scores, picture
    WORKDIR/report/                     the comparison page, unless another folder is chosen
    WORKDIR/study.csv  study.md  study.svg  of a config with several variants

No other module spells one of these names.
"""

import contextlib
import dataclasses
import json
import os
import pathlib

from spheroid_jax.errors import UserError
from spheroid_jax.runtime import files

FOLDS = 5


class WorkdirError(UserError, ValueError):
    """A damaged file of a work directory; the message names the file."""


@dataclasses.dataclass(frozen=True)
class Fold:
    """The folder of one fold, or of a run's ensemble.

    Attributes:
      path: the folder, which need not exist yet.
    """

    path: pathlib.Path

    @property
    def lock(self):
        """File that a process locks while it works on the fold."""
        return self.path / ".lock"

    @property
    def checkpoints(self):
        """Folder of the training checkpoints."""
        return self.path / "checkpoints"

    @property
    def model(self):
        """Folder of the trained model."""
        return self.path / "model"

    @property
    def scores(self):
        """Table of the test images' scores."""
        return self.path / "scores.csv"

    @property
    def before(self):
        """Table of the same images' scores before fine-tuning."""
        return self.path / "before.csv"

    @property
    def maps(self):
        """Folder of the test images' probability maps."""
        return self.path / "maps"

    @property
    def examples(self):
        """Picture of the best, the median and the worst test image."""
        return self.path / "examples.png"

    @property
    def is_scored(self):
        """Whether the scores are written, which happens after everything else."""
        return self.scores.is_file()

    @property
    def has_diverged(self):
        """Whether training ended because its loss was NaN or infinite."""
        return self._diverged.is_file()

    def write_diverged(self, message):
        """Records that training diverged, which is a result, too."""
        files.write_json(self._diverged, {"message": message})

    def clear_diverged(self):
        """Forgets that an earlier training diverged."""
        self._diverged.unlink(missing_ok=True)

    def read_initial(self):
        """Reads which model fine-tuning started from.

        Returns:
          dict of "sha256" (of the weights) and "validation" (F-scores by dataset); None where
          fine-tuning has not begun.

        Raises:
          WorkdirError: the file is damaged.
        """
        if not self._initial.is_file():
            return None
        return _read_json(self._initial, ("sha256", "validation"))

    def write_initial(self, sha256, validation):
        """Writes what `read_initial` reads."""
        files.write_json(self._initial, {"sha256": sha256, "validation": validation})

    def read_metrics(self):
        """Reads the records of training.

        The last line may be half-written, by a run that goes on or was cut off; such a line is
        left out.

        Returns:
          list of dicts: "step" and numbers by name.

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
          keep_until: records of later steps are dropped, because a resumed training writes them
            again; -1 drops all.

        Yields:
          `append(step, values)`, which writes one line at once.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        self._drop_metrics_after(keep_until)
        with open(self._metrics, "a", encoding="utf-8") as file:

            def append(step, values):
                file.write(json.dumps({"step": step, **values}) + "\n")
                file.flush()

            yield append

    def read_members(self):
        """Reads the hashes of the models that an ensemble was scored with; [] if not scored."""
        if not self._members.is_file():
            return []
        members = _read_json(self._members)
        if not isinstance(members, list):
            raise WorkdirError(f"{self._members}: damaged: not a list of hashes")
        return members

    def write_members(self, hashes):
        """Writes what `read_members` reads."""
        files.write_json(self._members, hashes)

    def _drop_metrics_after(self, step):
        if not self._metrics.exists():
            return
        kept = []
        for line in self._metrics.read_text("utf-8", errors="replace").splitlines():
            record = _record(line)
            if record is None:
                break  # The line that was being written when the power went.
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


@dataclasses.dataclass(frozen=True, init=False)
class Workdir:
    """A work directory: what one config's folds share.

    Attributes:
      path: the folder, which need not exist yet.
    """

    path: pathlib.Path

    def __init__(self, path: str | os.PathLike):
        """Accepts any path."""
        object.__setattr__(self, "path", pathlib.Path(path))

    def fold(self, number):
        """Returns the `Fold` of this number, 0 to 4."""
        return Fold(self.path / f"fold_{number}")

    @property
    def folds(self):
        """List of all five `Fold`s, whether begun or not."""
        return [self.fold(number) for number in range(FOLDS)]

    @property
    def ensemble(self):
        """`Fold` that holds the scores of the five models' mean."""
        return Fold(self.path / "ensemble")

    @property
    def report(self):
        """Default folder of the comparison page."""
        return self.path / "report"

    def study(self, suffix):
        """Returns the path of a study's report: "csv", "md" or "svg"."""
        return self.path / f"study.{suffix}"

    @property
    def has_config(self):
        """Whether a run was begun here."""
        return self._config.is_file()

    def read_config(self):
        """Reads the settings of the run, as nested dicts.

        Raises:
          FileNotFoundError: nothing has been trained here.
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
        """Writes nested dicts of settings."""
        files.write_json(self._config, config)

    def read_partitions(self):
        """Reads the partitions of the images.

        Returns:
          dict of "partitions" (by dataset, six lists of stems) and "digests" (by dataset and stem,
          a hash of the image and its mask); None where no fold has been trained.

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
        """Writes what `read_partitions` reads."""
        files.write_json(self._partitions, {"partitions": partitions, "digests": digests})

    @property
    def _config(self):
        return self.path / "config.json"

    @property
    def _partitions(self):
        return self.path / "partitions.json"


def _record(line):
    """Parses one line of metrics; None where the line is damaged."""
    try:
        record = json.loads(line)
    except ValueError:
        return None
    if isinstance(record, dict) and isinstance(record.get("step"), int):
        return record
    return None


def _read_json(path, keys=()):
    """Reads a JSON file that must be a dict with these keys, if any are given."""
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
