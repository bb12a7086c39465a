"""Tests of building and initialising networks, and of what all networks share."""

import functools
import math

import chex
import jax
import numpy as np
import pytest
from jax import numpy as jnp
from narrow import BATCH_NORM, NARROW, QUICKLY, SEGMENTING, logits_of, narrow, paths

from spheroid_jax import models
from spheroid_jax.models import blocks


def test_unknown_network_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="'resnet'.*multiscale, unet, adv"):
        models.build("resnet")


@pytest.mark.parametrize("name", models.NETWORKS)
def test_misspelt_field_is_refused(name):
    with pytest.raises(TypeError, match="widht"):
        models.build(name, widht=3)


@pytest.mark.parametrize("name", models.NORMS)
def test_unknown_norm_is_refused(name):
    module = models.build(name, width=2, depth=1, norm="layer")
    with pytest.raises(ValueError, match="'layer'"):
        jax.eval_shape(module.init, jax.random.key(0), jnp.ones((1, 32, 32, 1)))


def test_defaults_are_the_papers_numbers():
    segmentation, unet, adversary = map(models.build, ("multiscale", "unet", "adversary"))
    assert (segmentation.width, segmentation.depth) == (60, 9)
    assert (unet.width, unet.depth) == (64, 4)
    assert (adversary.width, adversary.depth) == (8, 6)


@pytest.mark.parametrize("dtype", ["bfloat16", jnp.bfloat16])
def test_dtype_may_be_a_name(dtype):
    assert models.build("unet", dtype=dtype).dtype == jnp.bfloat16


@pytest.mark.parametrize("size", [(480, 480), (50, 70), (32, 33)])
@pytest.mark.parametrize("name", ["multiscale", "unet"])
def test_logits_have_the_images_size(name, size):
    module = models.build(name, width=2, depth=4)
    image = jax.ShapeDtypeStruct((3, *size, 1), np.float32)
    logits, _ = jax.eval_shape(module.init_with_output, jax.random.key(0), image)
    assert logits.shape == (3, *size, 2)
    assert logits.dtype == np.float32


@pytest.mark.parametrize(("kind", "padded_size"), [("multiscale", (64, 80)), ("unet", (52, 72))])
def test_padding_inside_is_padding_with_zeros_and_cropping(kind, padded_size):
    _, _, images = narrow(kind)
    padded = np.zeros((2, *padded_size, 1), np.float32)
    padded[:, :50, :70] = images
    np.testing.assert_allclose(
        logits_of(kind), logits_of(kind, images=padded)[:, :50, :70], rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("kind", NARROW)
def test_a_gradient_reaches_every_parameter(kind):
    module, variables, images = narrow(kind)
    options = {"train": True} if kind in SEGMENTING else {}

    @functools.partial(jax.jit, compiler_options=QUICKLY)
    @jax.grad
    def gradient(params):
        logits, _ = module.apply(
            {**variables, "params": params}, images, mutable=["batch_stats"], **options
        )
        direction = np.random.default_rng(0).normal(size=logits.shape)
        return (logits * direction.astype(np.float32)).sum()

    leaves = paths(gradient(variables["params"]))
    assert leaves
    for path, leaf in leaves.items():
        assert np.isfinite(leaf).all(), path
        assert np.abs(leaf).max() > 1e-6, path


@pytest.mark.parametrize("name", ["multiscale", "unet"])
def test_recomputing_blocks_changes_no_parameter_and_no_gradient(name, rng):
    fields = {"width": 2, "depth": 3 if name == "multiscale" else 2}
    kept = models.build(name, **fields)
    recomputed = models.build(name, remat=True, **fields)
    variables = models.initial_variables(kept, 1, seed=0)
    again = models.initial_variables(recomputed, 1, seed=0)
    chex.assert_trees_all_equal(variables, again)
    image = jnp.asarray(rng.random((1, 32, 32, 1)), jnp.float32)

    def gradient(module):
        loss = lambda v: (module.apply(v, image) ** 2).mean()  # noqa: E731
        return jax.jit(jax.grad(loss))(variables)

    chex.assert_trees_all_close(gradient(kept), gradient(recomputed), rtol=1e-4, atol=1e-6)
    jaxpr = str(jax.make_jaxpr(recomputed.apply)(variables, image))
    assert "checkpoint" in jaxpr or "remat" in jaxpr


@pytest.mark.parametrize("kind", NARROW)
def test_network_is_deterministic_and_depends_on_its_input(kind):
    _, _, images = narrow(kind)
    logits = logits_of(kind)
    np.testing.assert_array_equal(logits, logits_of(kind))
    assert np.isfinite(logits).all()
    assert np.abs(logits - logits_of(kind, images=images[:, ::-1])).max() > 1e-3


@pytest.mark.parametrize("kind", ["multiscale", "unet", "unet, group", "adversary"])
def test_each_image_is_judged_alone(kind):
    _, _, images = narrow(kind)
    other = np.stack([images[0], images[1] ** 4])
    np.testing.assert_array_equal(logits_of(kind)[0], logits_of(kind, images=other)[0])


@pytest.mark.parametrize("kind", ["multiscale", "unet"])
def test_training_and_inference_agree_without_running_averages(kind):
    _, variables, _ = narrow(kind)
    assert set(variables) == {"params"}
    np.testing.assert_array_equal(logits_of(kind), logits_of(kind, train=True))


@pytest.mark.parametrize("kind", ["multiscale", "unet", "adversary"])
def test_bfloat16_products_leave_logits_and_parameters_in_float32(kind):
    name, _, fields = NARROW[kind]
    _, variables, images = narrow(kind)
    module = models.build(name, **fields, dtype="bfloat16")
    chex.assert_trees_all_equal_shapes_and_dtypes(
        dict(jax.eval_shape(module.init, jax.random.key(0), images)), variables
    )
    logits = jax.jit(module.apply, compiler_options=QUICKLY)(variables, images)
    exact = logits_of(kind)
    assert logits.dtype == np.float32
    assert np.abs(logits - exact).max() > 0  # the products were rounded
    assert np.abs(logits - exact).max() < 0.1 * np.abs(exact).max()


# Initial values.


@pytest.mark.parametrize("kind", NARROW)
def test_initial_variables_have_the_shapes_that_the_module_declares(kind):
    module, variables, images = narrow(kind)
    declared = jax.eval_shape(module.init, jax.random.key(0), images)
    chex.assert_trees_all_equal_shapes_and_dtypes(variables, dict(declared))


def test_initial_kernels_have_the_deviation_of_he():
    module = models.build("multiscale", width=16, depth=1)
    variables = models.initial_variables(module, 1, seed=0)
    fan_in = {
        "down_2/conv": 9 * 16,
        "path_1_block_1/short_1": 3 * 64,
        "path_1_end": 9 * 64,
        "path_2_block_1/long_2": 9 * 128,
        "path_2_block_1/reduce": 3 * 128,
        "up_1": 128,
    }
    leaves = paths(variables["params"])
    for path, inputs in fan_in.items():
        kernel = np.asarray(leaves[f"{path}/kernel"])
        error = 3 / math.sqrt(2 * kernel.size)
        assert kernel.std() == pytest.approx(math.sqrt(2 / inputs), rel=error)
        assert abs(kernel.mean()) < 4 * kernel.std() / math.sqrt(kernel.size)


@pytest.mark.parametrize("module", [blocks.Conv(40), blocks.Deconv(90)])
def test_initial_kernels_are_as_wide_as_the_modules_own(module):
    ours = models.initial_variables(module, 30, seed=0)["params"]["kernel"]
    own = module.init(jax.random.key(0), jnp.ones((1, 4, 4, 30)))
    assert float(ours.std()) == pytest.approx(float(own["params"]["kernel"].std()), rel=0.08)


def test_what_is_no_kernel_starts_at_zero_or_one():
    variables = narrow(BATCH_NORM)[1]
    values = {}
    for path, leaf in paths(variables).items():
        values.setdefault(path.split("/")[-1], set()).update(
            np.unique(leaf).tolist() if "kernel" not in path else ()
        )
    del values["kernel"]
    assert values == {"bias": {0}, "scale": {1}, "mean": {0}, "var": {1}}


def test_the_same_seed_gives_the_same_values_and_another_gives_others():
    module, variables, _ = narrow("adversary")
    again = models.initial_variables(module, 2, seed=3)
    other = models.initial_variables(module, 2, seed=4)
    chex.assert_trees_all_equal(variables, again)
    for path, leaf in paths(variables).items():
        if path.endswith("kernel"):
            assert not (np.asarray(leaf) == paths(other)[path]).any(), path


def test_parameters_of_the_same_shape_have_different_values():
    kernels = {}
    for path, leaf in paths(narrow("multiscale")[1]["params"]).items():
        if path.endswith("kernel"):
            kernels.setdefault(leaf.shape, []).append(np.ravel(leaf))
    assert max(map(len, kernels.values())) >= 9
    for same_shape in kernels.values():
        for one, other in zip(same_shape, same_shape[1:], strict=False):
            assert not (one == other).any()


def test_initial_values_depend_on_no_generator_of_the_platform():
    module, variables, _ = narrow("adversary")
    with jax.default_prng_impl("rbg"):
        again = models.initial_variables(module, 2, seed=3)
    chex.assert_trees_all_equal(variables, again)
    # Pinned: were they to move, every seed would stand for another start.
    kernel = variables["params"]["classes"]["kernel"]
    np.testing.assert_allclose(kernel[0, 0, :3, 0], [-0.0838589, -0.2265495, -0.0739929], rtol=1e-5)
