"""What a GPU or TPU does: inference, a fold, several folds at once.

Runs on JAX's default device, so a narrow network tries it out on a CPU.
"""

import time

import jax
import numpy as np

from benchmarks import inputs, jax_work, workers
from spheroid_jax.inference import predict
from spheroid_jax.training import steps

STEPS_OF_A_FOLD = 12_000


def inference(*, width, size=480, counts=(1, 8, 32), rounds=20):
    """Images a second that the device computes, data already on it."""
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
    """Minutes that 12,000 alternating steps take, in both precisions."""
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
    """Steps a second of all folds together, one process a fold."""
    work = {
        "work": "benchmarks.accelerator:training",
        # Each process takes the memory that it needs, not three quarters.
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
    """A function that makes `per_dispatch` steps and waits for them."""
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
