"""The packaged model "spheroid-small", trained to work on images of labs that it has not seen.

    python launch.py --config=configs/pretrained.py --config.data.root=DIR
    python launch.py --config=configs/pretrained.py:second --config.data.root=DIR

The second stage starts from the model of the first stage (runs/pretrained/fold_0) and sees other
drawn images. DIR is a data root with dataset1; docs/evidence/model-card-small.md names its images.
Without --config.data.root, the model learns from drawn images alone. The model card says how much
each ingredient gains.
"""

from configs import unet


def get_config(stage=""):
    """Returns the recipe of the packaged model.

    Args:
      stage: "" for the first stage, "second" for the second; given after a colon.

    Raises:
      ValueError: there is no such stage.
    """
    if stage not in ("", "second"):
        raise ValueError(f"configs/pretrained.py:{stage}: no such stage")
    config = unet.get_config()
    config.name = "pretrained"

    # 4.4 M parameters, fast on a CPU.
    config.model.width = 24
    config.model.patch = 2
    config.model.norm = "group"  # the same in training and inference

    config.optimizer.learning_rate = 2e-3
    config.optimizer.schedule = "cosine"
    config.optimizer.warmup = 200
    config.optimizer.b1 = 0.9
    config.optimizer.b2 = 0.999
    config.loss.weights = "uniform"  # the paper's weights make bodies too large
    config.loss.dice = 1.0

    config.inference.flips = True

    config.data.synthetic_beside = True
    config.data.datasets = "varied:76,easy:4,hard:8,dataset1:12"
    config.data.size = 192
    config.synthetic.n_easy = 300
    config.synthetic.n_hard = 300
    config.synthetic.n_varied = 8000
    config.synthetic.size = 208  # finer than the grid, so that zooming in stays sharp

    config.augment.scale = 0.5
    config.augment.shift = 0.2
    config.augment.rotate = 180.0
    config.augment.stretch = 0.15
    config.augment.elastic = 0.01
    config.augment.gamma = 0.6
    config.augment.invert = 0.1
    config.augment.illumination = 0.3
    config.augment.blur = 1.5
    config.augment.noise = 0.05

    config.train.samples_per_epoch = 48_000
    config.train.epochs = 1
    config.train.batch_size = 4
    config.train.average = 0.999  # over about the last 1,000 steps
    config.train.validate_every = 3000
    if stage == "second":
        _second_stage(config)
    return config


def _second_stage(config):
    """Sets the second stage: half the learning rate, and drawn images of another seed."""
    config.name = "pretrained_second"
    config.init = "runs/pretrained/fold_0"
    config.optimizer.learning_rate = 1e-3
    config.synthetic.seed = 2  # configs/finetune.py has seed 1
    config.synthetic.n_varied = 4000
    config.train.samples_per_epoch = 20_000
    config.train.validate_every = 2500
