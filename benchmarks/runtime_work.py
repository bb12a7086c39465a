"""Inference in ONNX Runtime and OpenVINO, from the same exported network."""

import os

import numpy as np

from benchmarks import inputs


def onnx_runtime(*, path, size, count):
    """Foreground probabilities of a batch: (B, S, S)."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = len(os.sched_getaffinity(0))
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    image = inputs.batch(size, count)["image"][:, np.newaxis]
    return lambda: session.run(None, {"image": image})[0]


def openvino(*, path, size, count):
    """Foreground probabilities of a batch: (B, S, S)."""
    import openvino

    # In float32, as all others; left alone it may choose bfloat16.
    network = openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    image = inputs.batch(size, count)["image"][:, np.newaxis]
    return lambda: network(image)[0]
