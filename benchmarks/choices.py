"""Benchmarks of our implementation choices against the defaults of JAX, XLA and Linen."""

import time

import jax
import numpy as np
from jax import lax
from jax import numpy as jnp

from benchmarks import inputs, jax_work
from spheroid_jax import models
from spheroid_jax.models.convolution import same_convolution
from spheroid_jax.runtime import compilation
from spheroid_jax.training import steps

# (side, channels, features, kernel) of layers of the paper's network at widths 60 and 16, and of
# U-net*.
_LAYERS = (
    (60, 240, 240, (1, 3)),
    (60, 240, 240, (3, 1)),
    (30, 480, 480, (3, 3)),
    (60, 64, 64, (1, 3)),
    (60, 64, 64, (3, 1)),
    (30, 128, 128, (3, 3)),
    (120, 256, 256, (3, 3)),
    (480, 64, 64, (3, 3)),
)
# Convolutions in a row that are timed together.
_CHAIN = 4
# (m, k, n) of the products in IR1 and IR2, at width 60 and then at width 16.
_PRODUCTS = ((900, 240, 240), (240, 1440, 480), (900, 64, 64), (240, 384, 128))


def alternate(functions, rounds):
    """Times functions in turn.

    Args:
      functions: dict from name to a function without arguments.
      rounds: number of rounds, besides a first round that is not counted.

    Returns:
      dict from name to a list with the seconds of each round.
    """
    seconds = {name: [] for name in functions}
    for number in range(rounds + 1):
        for name, function in functions.items():
            start = time.perf_counter()
            jax.block_until_ready(function())
            if number:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def convolutions(rounds=9):
    """Times the convolution layers: our `same_convolution`, and XLA's convolution.

    Returns:
      list of dicts, one per layer: its sizes, and the seconds of each way.
    """
    rng = np.random.default_rng(inputs.SEED)
    rows = []
    for side, channels, features, kernel_size in _LAYERS:
        shape = (*kernel_size, channels, features)
        x = jnp.asarray(rng.random((1, side, side, channels)), jnp.float32)
        kernels = [
            jnp.asarray(rng.normal(size=shape) / np.sqrt(shape[2]), jnp.float32)
            for _ in range(_CHAIN)
        ]
        programs = {}
        for name, function in (("ours", same_convolution), ("XLA", _plain)):
            chain = _chain(function)
            forward = compilation.jit(chain)
            gradient = compilation.jit(jax.grad(_sum_of(chain), (0, 1)))
            programs[f"{name}, forward"] = _bound(forward, x, kernels)
            programs[f"{name}, gradient"] = _bound(gradient, x, kernels)
        seconds = alternate(programs, rounds)
        rows.append(
            {
                "side": side,
                "channels": channels,
                "features": features,
                "kernel": list(kernel_size),
                "seconds": {name: [s / _CHAIN for s in each] for name, each in seconds.items()},
            }
        )
    return rows


def products(rounds=50):
    """Measures the rates of the matrix products that minimal filtering consists of.

    Returns:
      list of dicts with the sizes m, k, n and the rate in FLOP/s of six products of m x k by k x n.
    """
    rng = np.random.default_rng(inputs.SEED)
    product = jax.jit(jnp.matmul)
    rows = []
    for m, k, n in _PRODUCTS:
        a = jnp.asarray(rng.random((6, m, k)), jnp.float32)
        b = jnp.asarray(rng.random((6, k, n)), jnp.float32)
        seconds = alternate({"product": _bound(product, a, b)}, rounds)
        rate = 12 * m * k * n / float(np.median(seconds["product"]))
        rows.append({"m": m, "k": k, "n": n, "flops_per_s": rate})
    return rows


def loop(rounds=9, width=16):
    """Times a training step alone and in a `lax.scan` of two steps, in seconds per step."""
    networks = jax_work.networks(width, "float32", remat=False)
    train_step = steps.make_train_step(*networks)
    seconds = {}
    for name, count in (("alone", 1), ("in a scan", 2)):
        run_steps = steps.make_run_steps(train_step)
        batch = inputs.batch(240, 1)
        batches = jax.device_put({key: np.stack([value] * count) for key, value in batch.items()})
        state = steps.init_state(*networks, seed=inputs.SEED)
        times = []
        for _ in range(rounds + 1):
            start = time.perf_counter()
            state, metrics = run_steps(state, batches)
            jax.block_until_ready(metrics)
            times.append((time.perf_counter() - start) / count)
        seconds[name] = times[1:]
    return seconds


def initialisation():
    """Times Linen's `init` and our `initial_variables`, in seconds with compilation."""
    module = models.build("multiscale")
    image = jnp.zeros((1, 64, 64, 1))
    start = time.perf_counter()
    jax.block_until_ready(jax.jit(module.init)(jax.random.key(0), image))
    middle = time.perf_counter()
    jax.block_until_ready(models.initial_variables(module, 1, seed=0))
    return {"Linen": middle - start, "ours": time.perf_counter() - middle}


def temporary_memory(width=60, size=480):
    """Measures the bytes that a compiled training step needs besides its state and batch."""
    batch = {
        key: jax.ShapeDtypeStruct((1, *value.shape), value.dtype)
        for key, value in inputs.batch(size, 1).items()
    }
    result = {}
    for name, options, remat in (
        ("XLA's own options", None, False),
        ("ours", compilation.options(), False),
        ("ours, remat", compilation.options(), True),
    ):
        networks = jax_work.networks(width, "float32", remat=remat)
        train_step = steps.make_train_step(*networks)
        state = jax.eval_shape(lambda networks=networks: _abstract_state(*networks))
        one = {key: _without_steps(value) for key, value in batch.items()}
        compiled = (
            jax.jit(train_step, donate_argnums=0, compiler_options=options)
            .lower(state, one)
            .compile()
        )
        result[name] = compiled.memory_analysis().temp_size_in_bytes
    return result


def _abstract_state(network, adversary):
    """Returns a training state for `jax.eval_shape`, which does not draw 74 million numbers."""
    key = jax.random.key(0)
    params = network.module.init(key, jnp.zeros((1, 64, 64, 1)))["params"]
    judge = adversary.module.init(key, jnp.zeros((1, 64, 64, 2)))["params"]
    return steps.TrainState(
        step=jnp.zeros((), jnp.int32),
        seg_params=params,
        seg_stats={},
        seg_average={},
        seg_opt_state=network.optimizer.init(params),
        adv_params=judge,
        adv_opt_state=adversary.optimizer.init(judge),
    )


def _without_steps(value):
    return jax.ShapeDtypeStruct(value.shape[1:], value.dtype)


def _plain(x, kernel):
    return lax.conv_general_dilated(
        x, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


def _chain(convolution):
    def chain(x, kernels):
        for kernel in kernels:
            x = convolution(x, kernel)
        return x

    return chain


def _sum_of(function):
    return lambda *arguments: function(*arguments).sum()


def _bound(function, *arguments):
    return lambda: function(*arguments)
