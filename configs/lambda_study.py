"""Does a constant weight of the adversarial loss make training unstable?

    python launch.py --config=configs/lambda_study.py --fold=all

trains every schedule below on the five folds, each in a work directory of its
own under runs/lambda_study, and reports means, spreads and divergences there.
One alone: --config=configs/lambda_study.py:linear. The paper (section 2.4)
says that constant values gave unstable models, and shows no data.
"""

from configs import adver

# Name: schedule, first and last value; None: no adversary.
SCHEDULES = {
    "none": None,
    "linear": ("linear", 8.3e-6, 1e-1),
    "cosine": ("cosine", 8.3e-6, 1e-1),
    "stepped": ("stepped", 8.3e-6, 1e-1),
    "constant_1e-3": ("constant", 1e-3, 1e-3),
    "constant_1e-2": ("constant", 1e-2, 1e-2),
    "constant_1e-1": ("constant", 1e-1, 1e-1),
    "constant_1": ("constant", 1.0, 1.0),
    "constant_10": ("constant", 10.0, 10.0),
}


def get_config(schedule=""):
    """Returns one schedule's settings; of none, those that all share.

    Args:
      schedule: a name in `SCHEDULES`, given after a colon.
    """
    config = adver.get_config()
    config.name = "lambda_study"
    config.model.width = 8
    config.optimizer.learning_rate = 5e-4  # few steps: larger ones
    config.data.datasets = "dataset1:50,dataset2:50"
    config.data.size = 160
    config.synthetic.n_easy = 90
    config.synthetic.n_hard = 90
    config.synthetic.size = 240
    config.train.samples_per_epoch = 600
    config.train.epochs = 1
    config.train.validate_every = 100
    if not schedule:
        config.variants = tuple(SCHEDULES)
        return config
    if SCHEDULES[schedule] is None:
        config.adversary = None
        return config
    name, start, end = SCHEDULES[schedule]
    config.adversary.lambda_schedule = name
    config.adversary.lambda_start = start
    config.adversary.lambda_end = end
    return config
