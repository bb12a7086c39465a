"""Description of the machine and the package versions on which numbers were measured."""

import datetime
import importlib.metadata
import os
import pathlib
import platform
import time

import jax
import numpy as np
from jax import numpy as jnp

_PACKAGES = ("jax", "flax", "optax", "numpy", "tensorflow-cpu", "torch", "onnxruntime", "openvino")


def describe():
    """Returns a dict of the machine, the versions, and the rate of matrix products."""
    return {
        "date": datetime.date.today().isoformat(),
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
        "device": jax.devices()[0].device_kind,
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in _PACKAGES},
        "matrix_product_gflops": round(matrix_product_rate() / 1e9),
    }


def matrix_product_rate(n=2048, rounds=9):
    """Measures the floating-point operations per second of an n x n float32 matrix product."""
    x = jnp.ones((n, n))
    product = jax.jit(jnp.matmul)
    product(x, x).block_until_ready()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        product(x, x).block_until_ready()
        times.append(time.perf_counter() - start)
    return 2 * n**3 / float(np.median(times))


def _cpu():
    lines = pathlib.Path("/proc/cpuinfo").read_text("ascii").splitlines()
    facts = dict(line.split(":", 1) for line in lines if ":" in line)
    facts = {key.strip(): value.strip() for key, value in facts.items()}
    features = facts.get("flags", "").split()
    widest = next((f for f in ("avx512f", "avx2") if f in features), "")
    return f"{facts.get('model name', platform.processor())} {widest}".strip()


def _version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
