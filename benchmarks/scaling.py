"""Benchmarks of time and memory as functions of image size, width, batch size and CPU cores."""

import os
import tempfile

import numpy as np

from benchmarks import workers

_BASE = {"network": "multiscale", "width": 60, "size": 480, "count": 1}


def measure():
    """Times each case in a process of its own.

    Returns:
      list of dicts with the name and the value of the varied parameter, the width, the task, the
      median seconds, and the peak memory of the process in bytes.
    """
    variations = {
        "size": (240, 480, 960, 1440, 2160),
        "width": (8, 16, 32, 60),
        "count": (1, 2, 4, 8),
        "cores": tuple(range(1, len(os.sched_getaffinity(0)) + 1)),
    }
    rows = []
    for name, values in variations.items():
        base = _BASE | ({"width": 16} if name == "count" else {})
        for value in values:
            for task in ("forward", "gradient"):
                worker = workers.Worker(f"benchmarks.jax_work:{task}", **{**base, name: value})
                rounds = 1 if value >= 1440 else 3
                seconds = [worker.run() for _ in range(rounds + 1)][1:]
                rows.append(
                    {
                        "varied": name,
                        "value": value,
                        "width": (base | {name: value})["width"],
                        "task": task,
                        "seconds": float(np.median(seconds)),
                        "peak_bytes": worker.peak_bytes(),
                    }
                )
                worker.close()
    return rows


def starts(width=60):
    """Times the start of a process until its first training step is done.

    Returns:
      dict of seconds: "first" for a start that compiles the programs, "second" for a start that
      finds the compiled programs in the cache folder.
    """
    with tempfile.TemporaryDirectory() as folder:
        environment = (
            ("JAX_COMPILATION_CACHE_DIR", folder),
            ("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0"),
        )
        seconds = {}
        for name in ("first", "second"):
            worker = workers.Worker(
                "benchmarks.jax_work:step",
                environment=environment,
                width=width,
                size=480,
                count=1,
                warm=0,
            )
            seconds[name] = worker.start_s
            worker.close()
    return seconds
