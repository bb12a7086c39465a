"""Journal of a run: what is done, so that the next run goes on, and what was written.

    OUTPUT/.spheroid/journal.jsonl     one line per picture, and one per file that is written
    OUTPUT/.spheroid/thumbnails/...    small pictures for the report

A line holds the rows of one picture, what the rows depend on (the file's content, the model, the
options), and the hashes of the files that were written. A file whose hash has changed since was
edited by a person, and is kept.
"""

import collections
import contextlib
import errno
import hashlib
import json
import os
import pathlib
import stat
import threading
from typing import Any, NamedTuple

from spheroid_jax.runtime import files
from spheroid_jax.runtime.own_files import FOLDER, digest

_JOURNAL = "journal.jsonl"


class Entry(NamedTuple):
    """One picture's line.

    Attributes:
      key: the file below the folder of all inputs, the scene and the time.
      sha256: hash of the file's content.
      settings: hash of the model and the options.
      image: row of images.csv.
      bodies: rows of measurements.csv.
      card: what the report shows: the thumbnail's name and the contours.
      outputs: hash by path, relative to the output folder, of each file that was written.
    """

    key: str
    sha256: str
    settings: str
    image: dict[str, Any]
    bodies: list[dict[str, Any]]
    card: dict[str, Any]
    outputs: dict[str, str]


class Journal:
    """The journal of one output folder, open for appending.

    Attributes:
      entries: the latest entry by key.
    """

    def __init__(self, output: pathlib.Path):
        """Reads what earlier runs have written; a half-written last line is dropped."""
        self._output = output
        self._path = output / FOLDER / _JOURNAL
        self.entries: dict[str, Entry] = {}
        # Hashes of the content that runs have written, or were about to write, by path.
        self._written: dict[str, set[str]] = collections.defaultdict(set)
        for line in self._lines():
            with contextlib.suppress(ValueError, TypeError, KeyError):
                values = json.loads(line)
                if "path" in values:
                    self._written[values["path"]].add(values["sha256"])
                else:
                    entry = Entry(**{name: values[name] for name in Entry._fields})
                    self.entries[entry.key] = entry
        self._file = None
        self._lock = threading.Lock()

    def is_done(self, key: str, sha256: str, settings: str) -> bool:
        """Whether a picture was measured with the same content, model and options.

        The files that were written must be there, too, as they were or edited by a person.
        """
        entry = self.entries.get(key)
        return (
            entry is not None
            and (entry.sha256, entry.settings) == (sha256, settings)
            and all((self._output / path).exists() for path in entry.outputs)
        )

    def write(self, path: str, content: bytes, outputs: dict[str, str]) -> bool:
        """Writes a file of the output folder, unless a person has edited the one that is there.

        Args:
          path: relative to the output folder.
          content: of the file.
          outputs: gets the hash of what was written.

        Returns:
          Whether the file was written.

        Raises:
          OSError: the file cannot be written, or is there and was not written by a run.
        """
        target = self._output / path
        outputs[path] = digest(content)
        if not self._is_ours(target, path):
            return False
        # Before the file: a run that ends in between must know its own file again.
        self._add({"path": path, "sha256": outputs[path]})
        self._written[path].add(outputs[path])
        with files.replacing(target, "wb") as file:
            file.write(content)
        return True

    def append(self, entry: Entry):
        """Adds the entry of one picture; the line is on disk when the method returns."""
        self._add(entry._asdict())
        self.entries[entry.key] = entry

    def close(self):
        """Closes the file of the journal; what cannot be written any more, is lost."""
        if self._file is not None:
            # On a full disk both fail, and the error that ends the run says so already.
            with contextlib.suppress(OSError):
                os.fsync(self._file.fileno())
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None

    def _add(self, values):
        """Writes one line; threads take turns."""
        with self._lock:
            try:
                if self._file is None:
                    self._path.parent.mkdir(parents=True, exist_ok=True)
                    # A line begins on a line of its own, also after one that was not finished.
                    start = "\n" * _ends_within_a_line(self._path)
                    self._file = open(self._path, "a", encoding="utf-8")  # noqa: SIM115
                    self._file.write(start)
                self._file.write(json.dumps(values, allow_nan=False) + "\n")
                self._file.flush()
            except OSError as error:
                raise OSError(error.errno, error.strerror, str(self._path)) from error

    def _is_ours(self, target, path):
        """Whether a file may be replaced; raises where a stranger's file is in the way."""
        if not target.exists():
            return True
        if not self._written.get(path):
            raise FileExistsError(
                f"{target}: is there already and was not written by this command; choose another "
                "--output"
            )
        return digest(target.read_bytes()) in self._written[path]

    def _lines(self):
        if not self._path.is_file():
            return []
        return self._path.read_text("utf-8", errors="replace").splitlines()


def _ends_within_a_line(path):
    """Whether a file ends with an unfinished line, as after a crash or on a full disk."""
    if not path.is_file() or not path.stat().st_size:
        return False
    with open(path, "rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() != b"\n"


def file_digest(path: str | os.PathLike) -> str:
    """Returns the SHA-256 of a file's content; of a folder, of its files' names and contents.

    Raises:
      OSError: the file cannot be read, or is a pipe or a device, whose content may have no end.
    """
    if os.path.isdir(path):
        return _folder_digest(pathlib.Path(path))
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError(errno.EINVAL, "not a file, but a pipe or a device", str(path))
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _folder_digest(folder):
    """The SHA-256 of the sorted names and contents of all files in a folder and below."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    names = sorted(path.relative_to(folder).as_posix() for path in paths)
    lines = [f"{file_digest(folder / name)} {name}\n" for name in names]
    return digest("".join(lines).encode("utf-8", "surrogateescape"))
