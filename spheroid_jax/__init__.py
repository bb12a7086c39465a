"""Spheroid segmentation in bright-field images, in JAX.

    import spheroid_jax as sj
    params = sj.load("spheroid-small")
    mask, probability = sj.segment(params, image)

`sj.read_image` reads one image file; `sj.segment_stream` segments any number of
files or arrays and overlaps reading, network and post-processing. The public
names and the modules that define them are listed in `__init__.pyi`; each name
is imported when it is first used, so that `import spheroid_jax` alone is light.
"""

import lazy_loader

__version__ = "0.1.0"
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
