"""Files of a whole run, such as tables: written anew each time, kept where they are edited."""

import hashlib
import json
import pathlib

from spheroid_jax.runtime import files

# Folder of a run for what is not for readers.
FOLDER = ".spheroid"
EDITED = "was edited since it was written, and is kept"
_HASHES = f"{FOLDER}/tables.json"


def write(output: pathlib.Path, made: dict[str, bytes], kept: dict[str, str]):
    """Writes files; one that cannot be replaced is kept, and the new one is written beside it.

    Args:
      output: the folder of the run.
      made: content by name.
      kept: gets why a file was kept, by name; loses names that were replaced after all.

    Raises:
      OSError: a file cannot be written.
    """
    known = _known(output)
    for name, content in made.items():
        target = output / name
        there = digest(target.read_bytes()) if target.is_file() else None
        known[name] = [each for each in known.get(name, []) if each == there]
        known[name].append(digest(content))
    # Before the files: a run that ends in between must know its own files again.
    _replace(output / _HASHES, json.dumps(known).encode())
    for name, content in made.items():
        why = _problem(output / name, content, known[name])
        if why:
            stem, _, suffix = name.rpartition(".")
            beside = f"{stem}.new.{suffix}"
            _replace(output / beside, content)
            kept[name] = f"{why}; the new one is {beside}"
        else:
            kept.pop(name, None)


def digest(content: bytes) -> str:
    """Returns the SHA-256 of bytes."""
    return hashlib.sha256(content).hexdigest()


def _problem(target, content, known):
    """Replaces a file; returns why that cannot be done, "" where it was done."""
    try:
        if target.exists() and digest(target.read_bytes()) not in known:
            return EDITED
        _replace(target, content)
    except PermissionError as error:
        # Excel locks the table that it shows.
        if not target.is_file():
            raise
        return f"cannot be replaced ({error.strerror}: is it open in another program?)"
    return ""


def _replace(path, content):
    with files.replacing(path, "wb") as file:
        file.write(content)


def _known(output):
    """Hashes of the files that runs have written, or were about to write, by name."""
    try:
        known = json.loads((output / _HASHES).read_text("utf-8"))
        return {name: list(hashes) for name, hashes in known.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}
