"""Ablation: what each ingredient of configs/pretrained.py gains, and what an adversary adds.

    python launch.py --config=configs/ablation.py --config.data.root=DIR

trains one fold of every variant below, with fewer steps and a smaller grid than
configs/pretrained.py. Each variant has its own work directory under runs/ablation. Then

    spheroid score DIR runs/ablation/*/fold_0

scores the variants on images of labs that no variant has seen. For another seed, add
--config.seed=1 --workdir=runs/ablation_1.
"""

from configs import adver, pretrained

_REAL_AND_TWO_KINDS = "easy:30,hard:50,dataset1:20"
_DRAWN = "varied:88,easy:4,hard:8"


def _nothing(config):
    """Leaves the recipe unchanged."""


def _adversary(config):
    config.adversary = adver.get_config().adversary


def _no_augmentation(config):
    for name in config.augment:
        config.augment[name] = 0.0


def _no_average(config):
    config.train.average = 0.0


def _no_normalisation(config):
    config.model.norm = "none"


def _no_flips(config):
    config.inference.flips = False


def _paper_loss(config):
    config.loss.weights = "balanced"
    config.loss.dice = 0.0


def _two_kinds(config):
    config.data.datasets = _REAL_AND_TWO_KINDS


def _drawn_only(config):
    config.data.datasets = _DRAWN


# Name: the function that changes the recipe.
VARIANTS = {
    "recipe": _nothing,
    "adversary": _adversary,
    "no_augmentation": _no_augmentation,
    "no_average": _no_average,
    "no_normalisation": _no_normalisation,
    "no_flips": _no_flips,
    "paper_loss": _paper_loss,
    "two_kinds": _two_kinds,  # without the varied images
    "drawn_only": _drawn_only,  # without real images
}


def get_config(variant=""):
    """Returns the settings of one variant.

    Args:
      variant: a name in `VARIANTS`, given after a colon; "" for the settings that all variants
        share, with their names in `variants`.
    """
    config = pretrained.get_config()
    config.name = "ablation"
    config.data.size = 128
    config.synthetic.n_easy = 150
    config.synthetic.n_hard = 150
    config.synthetic.n_varied = 1500
    config.synthetic.size = 144
    config.train.samples_per_epoch = 4800
    config.train.validate_every = 600
    config.train.average = 0.99
    config.optimizer.warmup = 100
    if not variant:
        config.variants = tuple(VARIANTS)
        return config
    VARIANTS[variant](config)
    return config
