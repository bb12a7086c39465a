"""Data roots of drawn images, written once and kept.

ROOT/synthetic.json    recipe of the images
ROOT/dataset1/...      easy images, in the style of the paper's first lab
ROOT/dataset2/...      hard images, in the style of the paper's second lab
ROOT/varied/...        images as of many labs
ROOT/scenes/...        none, one or many bodies; the masks are label images, and cores/ has masks
                       of the bodies' dense cores, where a scene has some
"""

import concurrent.futures
import json
import os
import pathlib
import shutil
import tempfile

import numpy as np
from skimage import io

from spheroid_jax.synthetic import scenes, spheroids, varied

# Folder of each kind of drawn images.
DATASETS = {"easy": "dataset1", "hard": "dataset2", "varied": "varied", "scenes": "scenes"}
RECIPE_FILE = "synthetic.json"
RECIPE_VERSION = 7  # must be raised whenever the images change
_CLOSEUPS = (1, 3)  # two scenes of five are windows into larger ones
# Scenes are numbered by one seed; collections have numbers that lie this far apart.
_SEEDS_APART = 1_000_000


def write_data_root(
    root: str | os.PathLike,
    *,
    n_easy: int = 60,
    n_hard: int = 40,
    n_varied: int = 0,
    n_scenes: int = 0,
    size: int = 480,
    seed: int = 0,
) -> pathlib.Path:
    """Writes a data root with the datasets dataset1 (easy images), dataset2 (hard), varied, scenes.

    The folder gets its name only when all images are written, so a killed process leaves nothing
    that looks like a data root. A complete data root with the same arguments is left untouched.

    Args:
      root: folder to create; an empty folder may exist.
      n_easy: number of images in dataset1; 0 leaves the dataset out.
      n_hard: number of images in dataset2; 0 leaves the dataset out.
      n_varied: number of images in varied, drawn by `varied.make_image`; 0 leaves the dataset out.
      n_scenes: number of images in scenes, drawn by `scenes.draw_scene`, whose masks are label
        images; 0 leaves the dataset out.
      size: longer side of the images in pixels.
      seed: number of the collection, >= 0.

    Returns:
      The path of the data root.

    Raises:
      FileExistsError: the folder holds other files, or images of another recipe.
    """
    root = pathlib.Path(root)
    counts = {"easy": n_easy, "hard": n_hard, "varied": n_varied, "scenes": n_scenes}
    recipe = {**counts, "size": size, "seed": seed, "version": RECIPE_VERSION}
    if _holds(root, recipe):
        return root
    root.parent.mkdir(parents=True, exist_ok=True)
    staging = tempfile.mkdtemp(prefix=f".{root.name}.", dir=root.parent)
    partial = pathlib.Path(staging, root.name)
    try:
        _write_pairs(partial, counts, seed, size)
        (partial / RECIPE_FILE).write_text(json.dumps(recipe))
        _move_into_place(partial, root, recipe)
    finally:
        shutil.rmtree(staging)
    return root


def _holds(root: pathlib.Path, recipe: dict) -> bool:
    """Returns whether `root` holds a complete data root; raises if it holds anything else."""
    if not root.exists() or (root.is_dir() and not any(root.iterdir())):
        return False
    try:
        found = json.loads((root / RECIPE_FILE).read_text())
    except (OSError, ValueError):
        found = "other files"
    if found != recipe:
        raise FileExistsError(
            f"{root} exists and holds {found}, expected {recipe}; "
            "choose another folder or remove this one"
        )
    return True


def _write_pairs(root: pathlib.Path, counts: dict, seed: int, size: int) -> None:
    """Draws and writes all images, on all cores."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [
            pool.submit(_write_pair, root, flavour, index, seed, size)
            for flavour, count in counts.items()
            for index in range(count)
        ]
        for job in jobs:
            job.result()


def _write_pair(root: pathlib.Path, flavour: str, index: int, seed: int, size: int) -> None:
    """Writes one image and its mask (0 and 255) or label image under the same name."""
    core = None
    if flavour == "scenes":
        draw = scenes.draw_closeup if index % 5 in _CLOSEUPS else scenes.draw_scene
        scene = draw(seed * _SEEDS_APART + index, size)
        image, mask, core = scene.image, scene.labels.astype(np.uint8), scene.core
    elif flavour == "varied":
        image, mask = varied.make_image(index, seed=seed, size=size)
    else:
        image, mask = spheroids.make_image(flavour, index, seed=seed, size=size)
    pixels = {"images": image, "masks": np.where(mask, 255, 0) if mask.dtype == bool else mask}
    if core is not None and core.any():
        pixels["cores"] = np.where(core, 255, 0)
    for kind, values in pixels.items():
        folder = root / DATASETS[flavour] / kind
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{flavour}_{index:04d}.png"
        io.imsave(path, values.astype(np.uint8), check_contrast=False)


def _move_into_place(partial: pathlib.Path, root: pathlib.Path, recipe: dict) -> None:
    """Renames the finished folder, unless another process has already made the same one."""
    try:
        os.replace(partial, root)
    except OSError:
        if not _holds(root, recipe):
            raise
