"""Base: the segmentation network of configs/adver.py without the adversary.

    python launch.py --config=configs/base.py --fold=2

All other values are the paper's. docs/evidence/results.md has a measured fold.
"""

from configs import adver


def get_config():
    """Returns the paper's settings without the adversary (section 3)."""
    config = adver.get_config()
    config.name = "base"
    config.adversary = None
    return config
