"""Benchmark tasks in ONNX Runtime and OpenVINO, which run the same exported network."""

import os

import numpy as np

from benchmarks import inputs


def onnx_runtime(*, path, size, count):
    """Prepares inference in ONNX Runtime; the task returns foreground probabilities (B, S, S)."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = len(os.sched_getaffinity(0))
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    image = inputs.batch(size, count)["image"][:, np.newaxis]
    return lambda: session.run(None, {"image": image})[0]


def openvino(*, path, size, count):
    """Prepares inference in OpenVINO; the task returns foreground probabilities (B, S, S)."""
    import openvino

    # float32 like the other frameworks; by default, OpenVINO may choose bfloat16.
    network = openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    image = inputs.batch(size, count)["image"][:, np.newaxis]
    return lambda: network(image)[0]
