"""Spheroid segmentation in bright-field images, in JAX.

    import spheroid_jax as sj
    params = sj.load("spheroid-small")
    mask, probability = sj.segment(params, image)

`sj.read_image` reads what microscopes write; `sj.segment_stream` takes any
number of files or arrays and overlaps reading, network and post-processing.
"""

import importlib

__version__ = "0.1.0"
# Imported when first used: `import spheroid_jax` alone is light.
_HOME = {
    "Params": "inference.model_file",
    "Segmentation": "inference.predict",
    "load": "inference.model_file",
    "read_image": "images",
    "segment": "inference.predict",
    "segment_stream": "inference.stream",
}
__all__ = [*_HOME]


def __getattr__(name):
    """Imports a public name from the module that defines it."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__():
    return sorted({*globals(), *_HOME})
