"""Benchmarks of the network and the training step in all frameworks."""

import pathlib
import tempfile

from benchmarks import workers

# Largest difference between frameworks, relative to the largest value. The network has 60 layers in
# float32, and the gradient of the first layer has passed all of them twice.
_TOLERANCE = {"forward": 1e-3, "gradient": 1e-2, "step": 1e-2}
_LAYOUTS = ("contiguous", "channels last")


def measure(*, task, width, count, size=480, rounds=7):
    """Times one task in all frameworks.

    Args:
      task: "forward", "gradient" (forward and backward pass) or "step" (a whole training step).
      width: width of the segmentation network.
      count: images per batch.
      size: side of the grid in pixels.
      rounds: number of timings per framework.

    Returns:
      dict of the arguments, and of "frameworks": a dict from framework to its seconds, its peak
      memory in bytes, and its difference from spheroid_jax.
    """
    case = {"width": width, "size": size, "count": count}
    ours = {} if task == "step" else {"network": "multiscale"}
    contenders = {"spheroid_jax": {"work": f"benchmarks.jax_work:{task}", **ours}} | {
        f"PyTorch, {layout}": {"work": f"benchmarks.torch_work:{task}", "layout": layout}
        for layout in _LAYOUTS
    }
    contenders = {n: {**work, **case} for n, work in contenders.items()}
    with tempfile.TemporaryDirectory() as folder:
        if task == "forward":
            contenders |= _runtimes(folder, case)
        with workers.running(contenders) as running:
            differences = workers.check_agreement(running, _TOLERANCE[task])
            seconds = workers.take_turns(running, rounds)
            peaks = {name: w.peak_bytes() for name, w in running.items()}
    return {
        "task": task,
        **case,
        "frameworks": {
            name: {
                "seconds": seconds[name],
                "peak_bytes": peaks[name],
                "difference": differences[name],
            }
            for name in contenders
        },
    }


def _runtimes(folder, case):
    """Exports the network to ONNX; returns arguments of `Worker` for ONNX Runtime and OpenVINO."""
    path = str(pathlib.Path(folder) / "network.onnx")
    exporter = workers.Worker("benchmarks.torch_work:exporting", path=path, **case)
    exporter.close()
    size = {name: case[name] for name in ("size", "count")}
    return {
        name: {"work": f"benchmarks.runtime_work:{work}", "path": path, **size}
        for name, work in (("ONNX Runtime", "onnx_runtime"), ("OpenVINO", "openvino"))
    }
