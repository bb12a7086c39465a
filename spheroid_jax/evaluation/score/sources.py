"""Sources of masks to score: folders of masks, trained models, thresholds."""

import collections
import os
import pathlib
from collections.abc import Callable, Iterable, Sequence
from concurrent import futures
from typing import NamedTuple

from spheroid_jax import images
from spheroid_jax.data import folder
from spheroid_jax.evaluation.score import targets
from spheroid_jax.evaluation.score.rules import Rules
from spheroid_jax.inference import conventional, model_file, stream

CONVENTIONAL = "conventional"
_SHOWN = 3


class Source(NamedTuple):
    """The masks of one tool, or of several tools that are computed together.

    Attributes:
      name: the source's name in messages.
      labels: the names of its rows.
      chosen: the name of one more row, whose masks are chosen from the other rows; None if there is
        no such row.
      each: generator function with two arguments: the pairs, and a function `judge`. For each pair,
        in order, the generator yields judge(pair, masks). `masks` is a dict from label to the mask,
        or to None if the tool has no mask.
    """

    name: str
    labels: list[str]
    chosen: str | None
    each: Callable


def open_sources(
    words: Iterable[str],
    pairs: Sequence[folder.Pair],
    rules: Rules,
    *,
    missing_are_empty: bool,
) -> list[Source]:
    """Finds all masks and loads all models, so that errors come before the computation.

    Args:
      words: list of [NAME=]SOURCE.
      pairs: the images, as returned by `targets.find`.
      rules: the rules that masks are scored by.
      missing_are_empty: whether a missing mask is scored as an empty one.

    Returns:
      list of `Source`s.

    Raises:
      FileNotFoundError: a folder or model does not exist.
      ScoreError: masks are missing although `missing_are_empty` is false, two rows have the same
        name, or an image has two masks.
    """
    opened = [_open(word, pairs, rules, missing_are_empty) for word in words]
    labels = [
        label for source in opened for label in (*source.labels, source.chosen) if label is not None
    ]
    label, count = collections.Counter(labels).most_common(1)[0]
    if count > 1:
        raise targets.ScoreError(f"{count} rows are named {label!r}; NAME=SOURCE names them apart")
    return opened


def _open(word, pairs, rules, missing_are_empty):
    name, place = _split(word)
    if place == CONVENTIONAL:
        return _thresholds(name, rules, missing_are_empty)
    name = name or pathlib.Path(place).resolve().name
    if pathlib.Path(place).is_dir() and not model_file.is_model(place):
        return _masks(name, pathlib.Path(place), pairs, rules, missing_are_empty)
    try:
        model = model_file.load(place)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"{error}; a source is a folder of masks, a model or the word {CONVENTIONAL}"
        ) from error
    return _model(name, model, rules, missing_are_empty)


def _split(word):
    """Splits [NAME=]SOURCE into the name, "" if there is none, and the source."""
    name, equals, place = word.partition("=")
    if not equals or pathlib.Path(word).exists():
        return "", word
    # The name is also that of a file.
    if not name or "/" in name or "\\" in name:
        raise targets.ScoreError(f"{word}: expected NAME=SOURCE, the name without /")
    return name, place


def _masks(name, place, pairs, rules, missing_are_empty):
    paths = _mask_paths(place, pairs)
    missing = [targets.name(pair) for pair in pairs if paths[pair] is None]
    if len(missing) == len(pairs):
        raise targets.ScoreError(
            f"{name}: no mask of any image; looked for {place}/DATASET/STEM.* and "
            f"{place}/STEM.*, for example for {missing[0]}"
        )
    if missing and not missing_are_empty:
        shown = ", ".join(missing[:_SHOWN])
        more = ", ..." if len(missing) > _SHOWN else ""
        raise targets.ScoreError(
            f"{name}: {len(missing)} of {len(pairs)} masks missing: "
            f"{shown}{more}; --missing=zero scores them as empty"
        )

    def masks_of(pair):
        path = paths[pair]
        return {name: path and rules.read(path)}

    return Source(name, [name], None, _in_threads(masks_of))


def _mask_paths(place, pairs):
    """Returns a dict from each pair to the path of its mask, or to None.

    The masks of a dataset are in a folder of its name, if there is one, and in `place` otherwise.
    """
    beside = _by_stem(place)
    within = {
        dataset: _by_stem(place / dataset)
        for dataset in targets.datasets_of(pairs)
        if (place / dataset).is_dir()
    }
    counts = collections.Counter(pair.stem for pair in pairs)
    for pair in pairs:
        path = beside.get(pair.stem)
        if path and pair.dataset not in within and counts[pair.stem] > 1:
            raise targets.ScoreError(
                f"{path}: several datasets have an image of this stem; put the mask into "
                f"{place / pair.dataset} if it belongs to {targets.name(pair)}"
            )
    return {pair: within.get(pair.dataset, beside).get(pair.stem) for pair in pairs}


def _by_stem(place):
    paths, problems = folder.by_stem(place)
    if problems:
        raise targets.ScoreError(problems[0])
    return paths


def _model(name, model, rules, missing_are_empty):
    def each(pairs, judge):
        results = stream.finish_stream(
            model,
            [pair.image for pair in pairs],
            read=images.read_image,
            finish=lambda path, *found: rules.of_model(model, *found),
        )
        for pair, result in zip(pairs, results, strict=True):
            if result.error is not None and not missing_are_empty:
                raise _unusable(name, pair, result.error)
            yield judge(pair, {name: result.value})

    return Source(name, [name], None, each)


def _thresholds(name, rules, missing_are_empty):
    label_of = {method: f"{name} {method}".strip() for method in conventional.THRESHOLDS}

    def masks_of(pair):
        try:
            gray = images.read_gray(pair.image)
        except images.ImageError as error:
            if missing_are_empty:
                return dict.fromkeys(label_of.values())
            raise _unusable(name or CONVENTIONAL, pair, error) from error
        return {label: rules.of_threshold(gray, method) for method, label in label_of.items()}

    return Source(
        name or CONVENTIONAL,
        list(label_of.values()),
        f"{name} best of {len(label_of)} thresholds".strip(),
        _in_threads(masks_of),
    )


def _unusable(name, pair, error):
    return targets.ScoreError(
        f"{name}: no mask of {targets.name(pair)} ({error}); --missing=zero scores it as empty"
    )


def _in_threads(masks_of):
    """Makes `Source.each` from a function that maps a pair to its masks; works in threads."""

    def each(pairs, judge):
        with futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            yield from pool.map(lambda pair: judge(pair, masks_of(pair)), pairs)

    return each
