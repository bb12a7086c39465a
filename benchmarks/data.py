"""Benchmarks of reading and writing: training samples, image files, masks, post-processing."""

import itertools
import pathlib
import tempfile
import time

import numpy as np
from PIL import Image

from benchmarks import inputs
from benchmarks.choices import alternate
from spheroid_jax import images
from spheroid_jax.data.dataset import open_dataset
from spheroid_jax.inference import postprocess, predict, segmentation, stream
from spheroid_jax.synthetic import data_root, spheroids
from spheroid_jax.workdir import Workdir

_SHARES = {"dataset1": 70.0, "dataset2": 30.0}


def input_pipeline(size=480, samples=300, rounds=5):
    """Measures how many samples per second each stream draws and stacks."""
    rates = {"tf": [], "numpy": []}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        root = data_root.write_data_root(folder / "root", n_easy=12, n_hard=12, size=240, seed=0)
        for name, each in rates.items():
            dataset = open_dataset(
                root,
                _SHARES,
                size=size,
                stream=name,
                cache=folder / "cache",
                workdir=Workdir(folder / "work"),
            )
            for _ in range(rounds):
                batches = dataset.batches(seed=0, fold=0, start=0, stop=samples + 20, batch_size=1)
                for _ in itertools.islice(batches, 20):
                    pass  # Buffers fill.
                start = time.perf_counter()
                count = sum(1 for _ in itertools.islice(batches, samples))
                each.append(count / (time.perf_counter() - start))
    return rates


def files_to_masks(*, width, size=480, image_px=1080, count=8, rounds=3):
    """Times segmentation of image files, and its parts.

    Args:
      width: width of the network.
      size: side of the grid in pixels.
      image_px: side of the images, which are 8-bit PNG files, in pixels.
      count: number of images.
      rounds: number of timings.

    Returns:
      dict from "network", "before" (the network), "after" (the network), "one by one" and "stream"
      (both from file to file) to a list of seconds per image.
    """
    model = inputs.model("multiscale", width, size)
    with tempfile.TemporaryDirectory() as folder:
        paths = _write_images(pathlib.Path(folder), count, image_px)
        seconds = alternate(_ways_to_segment(model, paths), rounds)
    return {name: [s / count for s in each] for name, each in seconds.items()}


def _write_images(folder, count, image_px):
    paths = [folder / f"{n}.png" for n in range(count)]
    for n, path in enumerate(paths):
        flavour = spheroids.FLAVOURS[n % 2]
        image, _ = spheroids.make_image(flavour, n, size=image_px)
        Image.fromarray(image).save(path)
    return paths


def _ways_to_segment(model, paths):
    """Returns a dict of functions without arguments, which do the work of `files_to_masks`."""
    prepared = [predict.prepare(model, images.read_image(path)) for path in paths]
    maps = [_body_like(item) for item in prepared]

    def write(path, found):
        images.write_mask(path.with_suffix(".mask"), found.mask)

    def network():
        for item in prepared:
            np.asarray(predict.grid_probability(model, item.grid[np.newaxis]))

    def before():
        for path in paths:
            predict.prepare(model, images.read_image(path))

    def after():
        for path, item, on_grid in zip(paths, prepared, maps, strict=True):
            # The model has no markers, so the image is not looked at again.
            write(path, segmentation.finish(model, item.grid, item, on_grid[np.newaxis]))

    def one_by_one():
        for path in paths:
            write(path, segmentation.segment(model, images.read_image(path)))

    def streamed():
        for result in stream.segment_stream(model, paths):
            write(result.source, result.segmentation)

    return {
        "network": network,
        "before": before,
        "after": after,
        "one by one": one_by_one,
        "stream": streamed,
    }


def post_processing(side=480, rounds=20):
    """Times `largest_body` on a probability map of a body and noise, in seconds."""
    rng = np.random.default_rng(inputs.SEED)
    rows, columns = np.mgrid[:side, :side] / side
    distance = np.hypot(rows - 0.5, columns - 0.5)
    probability = (distance < 0.3) * 0.8 + rng.random((side, side)) * 0.2
    return alternate({"largest_body": lambda: postprocess.largest_body(probability)}, rounds)[
        "largest_body"
    ]


def _body_like(item):
    """Returns a probability map with a body; the map of an untrained network would be noise."""
    return (item.grid < 0.5).astype(np.float32)
