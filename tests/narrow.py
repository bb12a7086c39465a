"""Narrow networks, compiled once, for the tests of several modules."""

import functools

import flax
import jax
import numpy as np
from jax import numpy as jnp

from spheroid_jax import models

# Name, number of input channels, and fields of each narrow network.
NARROW = {
    "multiscale": ("multiscale", 1, {"width": 4, "depth": 3}),
    "multiscale, batch": ("multiscale", 1, {"width": 4, "depth": 1, "norm": "batch"}),
    "unet": ("unet", 1, {"width": 4, "depth": 2}),
    "unet, group": ("unet", 1, {"width": 4, "depth": 2, "norm": "group"}),
    "adversary": ("adversary", 2, {"width": 4, "depth": 3}),
}
BATCH_NORM = "multiscale, batch"
SEGMENTING = ("multiscale", BATCH_NORM, "unet", "unet, group")
BATCH = (2, 50, 70)  # 16 divides neither side, and 4 does not either
# Compiled once, because compilation takes most of the time of these tests.
QUICKLY = {"xla_backend_optimization_level": 0}


@functools.cache
def narrow(kind):
    """Returns a narrow network, its variables and two images."""
    name, channels, fields = NARROW[kind]
    module = models.build(name, **fields)
    variables = models.initial_variables(module, channels, seed=3)
    images = np.random.default_rng(4).random((*BATCH, channels), np.float32)
    return module, variables, jnp.asarray(images)


@functools.cache
def compiled(kind, train=False):
    """Returns the compiled function from variables and images to logits and statistics."""
    module = narrow(kind)[0]
    options = {"train": train} if kind in SEGMENTING else {}
    return jax.jit(
        functools.partial(module.apply, mutable=["batch_stats"], **options),
        compiler_options=QUICKLY,
    )


def logits_of(kind, variables=None, images=None, train=False):
    """Returns the logits of a narrow network, by default for its own variables and images."""
    _, own_variables, own_images = narrow(kind)
    return compiled(kind, train)(
        own_variables if variables is None else variables, own_images if images is None else images
    )[0]


def paths(tree):
    """Returns a dict from path, such as "down_1/conv/kernel", to leaf."""
    return {"/".join(path): leaf for path, leaf in flax.traverse_util.flatten_dict(tree).items()}
