"""The whole path in minutes on a CPU: narrow, small, synthetic.

python launch.py --config=configs/demo.py
"""

from configs import adver


def get_config():
    """Returns the paper's settings, made small."""
    config = adver.get_config()
    config.name = "demo"
    config.model.width = 8
    config.optimizer.learning_rate = 5e-4  # few steps: larger ones
    config.data.size = 160
    config.synthetic.n_easy = 60
    config.synthetic.n_hard = 60
    config.synthetic.size = 160
    config.train.samples_per_epoch = 1000
    config.train.epochs = 1
    config.train.validate_every = 250
    return config
