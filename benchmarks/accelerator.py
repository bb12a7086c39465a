"""Benchmarks on a GPU or TPU: inference, training of a fold, several folds at once.

They run on JAX's default device. With a narrow network, they can be tried on a CPU.
"""

import time

import jax
import numpy as np

from benchmarks import inputs, jax_work, workers
from spheroid_jax.inference import predict
from spheroid_jax.training import steps

STEPS_OF_A_FOLD = 12_000


def inference(*, width, size=480, counts=(1, 8, 32), rounds=20):
    """Measures inference of images that are on the device already, in images per second."""
    rows = []
    for dtype in ("float32", "bfloat16"):
        model = inputs.model("multiscale", width, size, dtype)
        for count in counts:
            grids = jax.device_put(inputs.batch(size, count)["image"])
            predict.grid_probability(model, grids).block_until_ready()
            start = time.perf_counter()
            maps = [predict.grid_probability(model, grids) for _ in range(rounds)]
            jax.block_until_ready(maps)
            rate = count * rounds / (time.perf_counter() - start)
            rows.append({"dtype": dtype, "count": count, "images_per_s": rate})
    return rows


def fold_minutes(*, width, size=480, per_dispatch=10, dispatches=20):
    """Measures the minutes that 12,000 training steps take, in float32 and in bfloat16."""
    minutes = {}
    for dtype in ("float32", "bfloat16"):
        run = training(width=width, size=size, dtype=dtype, per_dispatch=per_dispatch)
        run()
        start = time.perf_counter()
        for _ in range(dispatches):
            run()
        per_step = (time.perf_counter() - start) / dispatches / per_dispatch
        minutes[dtype] = STEPS_OF_A_FOLD * per_step / 60
    return minutes


def folds_at_once(*, width, size=480, dispatches=20, most=4):
    """Measures the steps per second of several folds together, with one process per fold."""
    work = {
        "work": "benchmarks.accelerator:training",
        # By default, JAX would take three quarters of the device's memory for each process.
        "environment": (("XLA_PYTHON_CLIENT_PREALLOCATE", "false"),),
        "width": width,
        "size": size,
        "dtype": "bfloat16",
        "per_dispatch": 10,
    }
    rates = {}
    for folds in range(1, most + 1):
        with workers.running({n: work for n in range(folds)}) as running:
            for worker in running.values():
                worker.begin(dispatches)
            slowest = max(worker.end() for worker in running.values())
        rates[folds] = folds * dispatches * work["per_dispatch"] / slowest
    return rates


def training(*, width, size, dtype, per_dispatch):
    """Returns a function that makes `per_dispatch` training steps and waits for their end."""
    networks = jax_work.networks(width, dtype, remat=False)
    state = steps.init_state(*networks, seed=inputs.SEED)
    batches = jax.device_put(
        {name: np.stack([value] * per_dispatch) for name, value in inputs.batch(size, 1).items()}
    )
    run_steps = steps.make_run_steps(steps.make_train_step(*networks))

    def run():
        nonlocal state
        state, metrics = run_steps(state, batches)
        return np.asarray(metrics["cross_entropy"])

    return run
