"""Fine-tuning: adapts the packaged model to your own lab with about ten images.

    python launch.py --config=configs/finetune.py --config.data.root=DIR

DIR holds folders of any name, each with images/ and masks/ of six pairs or more. Masks may be label
images; of a mask of two values, each connected part is a body. With ten pairs, fold 0 trains on
seven, chooses the checkpoint by two and tests on one. One test image gives a rough score only;
`spheroid score` on further images gives a better one.

Half of the training samples are drawn images, the rehearsal set. The model must not get worse on
the rehearsal set. Its images are drawn with another seed than the training images of the packaged
model, so the packaged model has not seen them.
"""

from configs import spheroid_base


def get_config():
    """Returns the recipe of the packaged model with fewer steps and a lower learning rate."""
    config = spheroid_base.get_config()
    config.name = "finetune"
    config.init = "spheroid-base"

    config.optimizer.learning_rate = 4e-4  # below the recipe's, so that the model forgets less
    config.optimizer.warmup = 40

    config.data.datasets = "*:50,scenes:26,varied:16,easy:4,hard:4"  # *: all datasets of DIR
    config.data.rehearsal = "scenes,varied,easy,hard"
    config.data.crops = 120
    config.synthetic.n_scenes = 480  # takes seconds to draw
    config.synthetic.n_varied = 240
    config.synthetic.n_easy = 24  # four per partition
    config.synthetic.n_hard = 24
    config.synthetic.seed = 1

    config.train.samples_per_epoch = 1600  # 400 steps, 2 min on 2 CPU cores
    config.train.epochs = 1
    config.train.batch_size = 4
    # The result is the moving average of the weights, in which the initial weights keep a share of
    # 0.998 ** 400 = 45 %. Weights between the initial and the trained ones forget less
    # (M. Wortsman et al., Robust fine-tuning of zero-shot models, CVPR 2022).
    config.train.average = 0.998
    config.train.validate_every = 50
    config.train.log_every = 25
    config.train.keep = "best"
    config.train.rehearsal_margin = 0.01
    return config
