"""Tests of the segmentation network."""

import functools

import chex
import jax
import numpy as np
from narrow import BATCH_NORM, QUICKLY, logits_of, narrow

from spheroid_jax import models


def test_maps_double_while_their_size_halves():
    module, size = models.build("multiscale"), 480
    image = jax.ShapeDtypeStruct((1, size, size, 1), np.float32)
    _, variables = jax.eval_shape(
        functools.partial(
            module.init_with_output, capture_intermediates=True, mutable=["params", "intermediates"]
        ),
        jax.random.key(0),
        image,
    )
    shapes = {
        name: module_outputs["__call__"][0].shape[1:]
        for name, module_outputs in variables["intermediates"].items()
        if name != "__call__"
    }
    for level in (1, 2, 3, 4):
        side, maps = size // 2**level, 60 * 2 ** (level - 1)
        assert shapes[f"down_{level}"] == (side, side, maps)
    for block in range(1, 10):
        assert shapes[f"path_1_block_{block}"] == (size // 8, size // 8, 240)
        assert shapes[f"path_2_block_{block}"] == (size // 16, size // 16, 480)
    assert shapes["path_1_end"] == (size // 8, size // 8, 240)
    for level, maps in [(1, 240), (2, 120), (3, 60), (4, 2)]:
        side = size // 2 ** (4 - level)
        assert shapes[f"up_{level}"] == (side, side, maps)


def test_the_deep_paths_can_be_normalised_by_groups():
    module = models.build("multiscale", width=4, depth=1, norm="group")
    images = narrow("multiscale")[2]
    variables = models.initial_variables(module, 1, seed=3)
    # The parameters are those of the other norms.
    chex.assert_trees_all_equal_shapes(variables, {"params": narrow(BATCH_NORM)[1]["params"]})
    logits = jax.jit(module.apply, compiler_options=QUICKLY)(variables, images)
    assert np.isfinite(logits).all()
    other = logits_of(BATCH_NORM, images=images, train=True)
    assert np.abs(logits - other).max() > 1e-3
