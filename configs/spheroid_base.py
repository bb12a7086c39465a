"""The packaged model "spheroid-base": none, one or many bodies, of any size in the frame.

    python launch.py --config=configs/spheroid_base.py --config.data.root=DIR

Training starts from the packaged model "spheroid-small". DIR is a data root with real images, whose
masks may be label images; docs/evidence/model-card.md names the images of the packaged model.
Without --config.data.root, the model learns from drawn images alone.
"""

from configs import pretrained


def get_config():
    """Returns the recipe of the packaged model."""
    config = pretrained.get_config()
    config.name = "spheroid_base"
    config.init = "spheroid-small"
    config.model.markers = True
    config.loss.marker = 0.5
    config.model.cores = True
    config.loss.core = 0.2

    config.optimizer.learning_rate = 1e-3

    config.data.datasets = "scenes:48,varied:16,hard:4,easy:2,*:30"
    config.data.crops = 600
    config.synthetic.n_easy = 200
    config.synthetic.n_hard = 300
    config.synthetic.n_varied = 4000
    config.synthetic.n_scenes = 9000
    config.synthetic.seed = 3  # pretrained.py has seeds 0 and 2, finetune.py has 1

    # Scenes and crops have bodies of all sizes, so a wide zoom is not needed.
    config.augment.scale = 0.3
    config.augment.shift = 0.15

    config.inference.flips = False  # a closer look at each body instead

    config.train.samples_per_epoch = 48_000
    config.train.validate_every = 3000
    # Validation sees the foreground alone, and cannot tell which markers are best.
    config.train.keep = "last"
    return config
