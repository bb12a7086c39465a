"""Study of lambda, the weight of the adversarial loss: does a constant lambda train badly?

    python launch.py --config=configs/lambda_study.py --fold=all

trains five folds with each schedule below. Each schedule has its own work directory under
runs/lambda_study. The report, runs/lambda_study/study.md, has means, spreads and the number of
diverged folds. --config=configs/lambda_study.py:linear trains one schedule alone.

The paper (section 2.4) says that constant values gave unstable models, but shows no data.
"""

from configs import adver

# Name: schedule, first value, last value; or None for training without an adversary.
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
    """Returns the settings of one schedule.

    Args:
      schedule: a name in `SCHEDULES`, given after a colon; "" for the settings that all schedules
        share, with their names in `variants`.
    """
    config = adver.get_config()
    config.name = "lambda_study"
    config.model.width = 8
    config.optimizer.learning_rate = 5e-4  # higher, because there are few steps
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
