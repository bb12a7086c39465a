"""Demo: training and evaluation on a CPU in minutes, with a narrow network and drawn images.

    python launch.py --config=configs/demo.py

Mean F-score on the test partition: 0.964 (easy) and 0.907 (hard), in 3 to 4 min on the 2 CPU cores
that docs/evidence/results.md names.
"""

from configs import adver


def get_config():
    """Returns the paper's settings on a smaller scale."""
    config = adver.get_config()
    config.name = "demo"
    config.model.width = 12
    config.optimizer.learning_rate = 5e-4  # higher, because there are few steps
    config.data.datasets = "dataset1:50,dataset2:50"
    config.data.size = 192
    config.synthetic.n_easy = 90
    config.synthetic.n_hard = 90
    config.synthetic.size = 240
    config.train.samples_per_epoch = 1500
    config.train.epochs = 1
    config.train.validate_every = 250
    return config
