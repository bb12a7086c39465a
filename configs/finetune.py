"""Adapts the packaged model to the images of one's own lab: ten will do.

    python launch.py --config=configs/finetune.py --config.data.root=DIR

DIR has folders of any name with images/ and masks/, six pairs or more in each.
Ten are few: fold 0 trains on seven of them, chooses the checkpoint by two and
tests on one, so that the scores on them say roughly how good the model is, and
`spheroid score` on further images says it better.

The images drawn beside are the rehearsal set: half of what training sees, and
what the model must not get worse at. They are drawn from another seed than the
packaged model's, so what it scores on them before is not learnt by heart.
"""

from configs import pretrained


def get_config():
    """Returns the recipe of the packaged model, short and gentle."""
    config = pretrained.get_config()
    config.name = "finetune"
    config.init = "spheroid-small"  # its network and grid are the parent's

    config.optimizer.learning_rate = 4e-4  # a fifth: adapt, do not forget
    config.optimizer.warmup = 40

    config.data.datasets = "*:50,varied:40,easy:5,hard:5"  # *: all of DIR
    config.data.rehearsal = "varied,easy,hard"
    config.synthetic.n_varied = 480  # drawn in seconds
    config.synthetic.n_easy = 24  # four a partition
    config.synthetic.n_hard = 24
    config.synthetic.seed = 1

    config.train.samples_per_epoch = 1600  # 400 steps, 2 min on 2 CPU cores
    config.train.epochs = 1
    config.train.batch_size = 4
    # The model is the average over training, in which the one that it starts
    # from keeps a share of 0.998 ** 400 = 45 %: weights between the two forget
    # less (M. Wortsman et al., Robust fine-tuning, CVPR 2022).
    config.train.average = 0.998
    config.train.validate_every = 50
    config.train.log_every = 25
    config.train.rehearsal_margin = 0.01
    return config
