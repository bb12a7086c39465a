"""Helpers of several test files: images, data roots, models and training steps."""

import functools
import pathlib

import jax
import numpy as np
import optax
from flax import linen as nn
from jax import numpy as jnp
from PIL import Image

from spheroid_jax import models
from spheroid_jax.inference import model_file
from spheroid_jax.training import augment, losses, schedules, steps

ROOT = pathlib.Path(__file__).resolve().parents[1]


def disk(size, centre, radius):
    """Returns a boolean mask (size, size) of a disk; `centre` is (row, column)."""
    rows, columns = np.mgrid[:size, :size]
    distance = np.hypot(rows - centre[0], columns - centre[1])
    return distance <= radius


def dark_disk(size, centre, radius, rng):
    """Returns a noisy uint8 image of a dark disk on a light background, and its mask."""
    mask = disk(size, centre, radius)
    gray = np.where(mask, 70, 190) + rng.normal(0, 8, mask.shape)
    return gray.clip(0, 255).astype(np.uint8), mask


def write_root(root, counts, *, size=48, seed=0):
    """Writes a data root of dark disks; `counts` is a dict from dataset to number of images."""
    rng = np.random.default_rng(seed)
    for dataset, count in counts.items():
        for kind in ("images", "masks"):
            (root / dataset / kind).mkdir(parents=True)
        for n in range(count):
            centre = rng.uniform(0.35, 0.65, 2) * size
            radius = rng.uniform(0.12, 0.25) * size
            image, mask = dark_disk(size, centre, radius, rng)
            name = f"{dataset}_{n}.png"
            Image.fromarray(image).save(root / dataset / "images" / name)
            Image.fromarray(mask.astype(np.uint8) * 255).save(root / dataset / "masks" / name)
    return root


NETWORK = {"name": "multiscale", "width": 2, "depth": 3, "dtype": "float32"}

SIZE = 32


def untrained(size=SIZE, **network):
    network = NETWORK | network
    variables = models.initial_variables(models.build(**network), 1, seed=0)
    return model_file.Params.create(variables, size=size, **network)


def thresholding(size=SIZE):
    """Returns a model that finds exactly the pixels darker than 0.5.

    The model is a U-Net without down-sampling, whose class scores are (image, 1 - image), scaled.
    """
    network = {"name": "unet", "width": 1, "depth": 0, "dtype": "float32"}
    variables = jax.tree.map(
        np.zeros_like, models.initial_variables(models.build(**network), 1, seed=0)
    )
    weights = variables["params"]
    for name in ("bottom_conv_1", "bottom_conv_2"):
        weights[name]["kernel"][1, 1, 0, 0] = 1.0  # Passes the image on.
    weights["classes"]["kernel"][0, 0, 0] = (50.0, -50.0)
    weights["classes"]["bias"][:] = (-25.0, 25.0)
    return model_file.Params.create(variables, size=size, **network)


def marking(size=SIZE, *, flips=False):
    """Returns the model of `thresholding`, whose markers are its foreground."""
    plain = thresholding(size)
    weights = jax.tree.map(np.array, plain.variables["params"])
    weights["markers"] = {
        name: -2 * weights["classes"][name][..., :1] for name in ("kernel", "bias")
    }
    network = {"name": "unet", "markers": True, **dict(plain.fields)}
    return model_file.Params.create({"params": weights}, size=size, flips=flips, **network)


def telling_cores(size=SIZE):
    """Returns the model of `marking`, for which cores are what is very dark (below 1/4)."""
    plain = marking(size)
    weights = dict(plain.variables["params"])
    kernel, bias = weights["markers"]["kernel"], weights["markers"]["bias"]
    weights["cores"] = {"kernel": kernel, "bias": bias / 2}
    return model_file.Params.create(
        {"params": weights}, size=size, **{"name": "unet", "cores": True, **dict(plain.fields)}
    )


def a_run(folder, models_of_folds):
    """Saves each model as a fold of a run."""
    for fold, model in enumerate(models_of_folds):
        model_file.save(model, folder / f"fold_{fold}" / "model", provenance={})
    return folder


def scaled(model, factor):
    """Returns the same network with its last weights multiplied by a factor."""
    variables = jax.tree.map(np.array, model.variables)  # Copies.
    variables["params"]["classes"]["kernel"] *= factor
    variables["params"]["classes"]["bias"] *= factor
    return model.replace(variables=variables)


TOTAL = 50
LAMBDA = functools.partial(schedules.linear_ramp, total_steps=TOTAL)


def make_batch(batch_size=1):
    rng = np.random.default_rng(0)
    mask = np.stack([disk(SIZE, (14 + n, 16), 7) for n in range(batch_size)])
    image = np.where(mask, 0.2, 0.8) + rng.normal(0, 0.02, mask.shape)
    return {"image": image.astype(np.float32), "label": mask.astype(np.uint8)}


def nine(mask, counted):
    """Returns pixel weights: 9 for foreground, 1 for background, 0 for pixels that do not count."""
    return jnp.where(counted, jnp.where(mask, 9.0, 1.0), 0.0)


def targets(batch):
    """Returns a batch in the form that the losses take, with the weights of `nine`."""
    return steps._targets(batch, 0, nine, None)


def make_networks(adversarial=True, norm="image", learning_rate=1e-3):
    module = models.build("multiscale", width=2, depth=3, norm=norm)
    network = steps.Network(module, optax.adam(learning_rate, b1=0.5))
    if not adversarial:
        return network, None
    return network, steps.Adversary(
        models.build("adversary", width=2, depth=3), optax.adam(1e-3), LAMBDA
    )


EVERYTHING = augment.Strengths(
    scale=0.3,
    shift=0.1,
    rotate=180.0,
    stretch=0.2,
    elastic=0.01,
    gamma=0.3,
    invert=0.3,
    illumination=0.2,
    blur=0.7,
    noise=0.03,
)


class Pixelwise(nn.Module):
    """A network so small that it compiles at once."""

    @nn.compact
    def __call__(self, image, *, train=False):
        return nn.Dense(2)(nn.relu(nn.Dense(4)(image)))


PIXELWISE = (steps.Network(Pixelwise(), optax.adam(1e-2)), None)


def make_generalising():
    """Returns a network, and options that switch on all optional parts of the training step."""
    return PIXELWISE, {
        "weigh": losses.uniform_weight,
        "dice": 0.5,
        "augment": augment.make_augment(EVERYTHING, seed=0),
        "average": 0.9,
    }


def assert_streams_equal(one, other):
    one, other = list(one), list(other)
    assert len(one) == len(other)
    for batch, twin in zip(one, other, strict=True):
        assert batch.keys() == twin.keys()
        for name, values in batch.items():
            assert values.dtype == twin[name].dtype
            np.testing.assert_array_equal(values, twin[name])


def assert_samples_equal(one, other):
    assert one.pairs == other.pairs
    assert one.digests == other.digests
    for name in ("images", "labels"):
        values, twin = getattr(one, name), getattr(other, name)
        assert values.dtype == twin.dtype
        np.testing.assert_array_equal(values, twin)


def change_mask(root):
    """Turns one mask of `write_root` upside down."""
    path = root / "dataset1/masks/dataset1_2.png"
    Image.fromarray(np.asarray(Image.open(path))[::-1]).save(path)
