"""The paper's model: the segmentation network trained with an adversary.

    python launch.py --config=configs/adver.py --fold=2

Every value is the paper's, or what docs/evidence/paper.md says is taken where the paper
leaves it open. `--config.data.root=DIR` trains on your own images.
"""

from ml_collections import ConfigDict


def get_config():
    """Returns the paper's settings."""
    config = ConfigDict()
    config.name = "adver"  # the default work directory is runs/NAME
    config.seed = 0  # of the initial parameters and of the samples drawn
    config.init = ""  # or a model's folder or name, to start from its weights

    config.model = ConfigDict()
    config.model.name = "multiscale"  # or "unet"
    config.model.width = 60  # feature maps of the first layer (2.3.1)
    config.model.depth = 9  # blocks in each deep path (2.3.1)
    config.model.norm = "image"  # "batch": running averages; or "group"
    config.model.norm_momentum = 0.99  # of those averages
    config.model.dtype = "float32"  # of products; "bfloat16" on GPU and TPU
    config.model.remat = False  # True: less memory, more time, the same result

    config.optimizer = ConfigDict()  # Adam, table 1
    config.optimizer.learning_rate = 1e-4
    config.optimizer.b1 = 0.5
    config.optimizer.b2 = 0.99
    config.optimizer.schedule = "constant"  # or "cosine", to 0 at the end
    config.optimizer.warmup = 0  # steps in which the rate rises from 0

    config.loss = ConfigDict()
    config.loss.weights = "balanced"  # equation 1, times 3; or "uniform", 1
    config.loss.dice = 0.0  # weight of a soft Dice loss, added

    config.adversary = ConfigDict()
    config.adversary.width = 8  # feature maps of the first layer (2.3.2)
    config.adversary.depth = 6  # pairs of convolutions (2.3.2)
    config.adversary.dtype = "float32"
    config.adversary.learning_rate = 1e-3  # table 1
    config.adversary.b1 = 0.5
    config.adversary.b2 = 0.99
    config.adversary.lambda_schedule = "linear"  # cosine, stepped, constant
    config.adversary.lambda_start = 8.3e-6  # at the first step (2.4)
    config.adversary.lambda_end = 1e-1  # at the last step (2.4)

    config.inference = ConfigDict()
    config.inference.flips = False  # True: the mean over an image's flips

    config.data = ConfigDict()
    config.data.root = "synthetic"  # or a folder with dataset1/, dataset2/
    config.data.synthetic_beside = False  # True: easy, hard, varied as well
    config.data.datasets = "dataset1:70,dataset2:30"  # folder:share (2.2)
    config.data.rehearsal = ""  # those that config.init must not get worse at
    config.data.size = 480  # side of the network's grid, px (2.2)
    config.data.stream = "tf"  # or "numpy": the same without TensorFlow
    config.data.cache = ""  # prepared images; "": the user's cache folder

    config.augment = ConfigDict()  # beyond the paper's flips and quarter turns
    config.augment.scale = 0.0  # largest zoom factor - 1, in and out
    config.augment.shift = 0.0  # largest, along each axis, in sides
    config.augment.rotate = 0.0  # largest, degrees
    config.augment.stretch = 0.0  # largest ratio of the axes' zooms - 1
    config.augment.elastic = 0.0  # deviation of smooth shifts, in sides
    config.augment.gamma = 0.0  # largest exponent - 1, and its inverse
    config.augment.invert = 0.0  # probability of dark for bright
    config.augment.illumination = 0.0  # deviation of the light's logarithm
    config.augment.blur = 0.0  # largest deviation, px
    config.augment.noise = 0.0  # largest deviation, intensities being [0, 1]

    config.synthetic = ConfigDict()  # what data.root = "synthetic" makes
    config.synthetic.n_easy = 120  # images of dataset1
    config.synthetic.n_hard = 120  # images of dataset2
    config.synthetic.n_varied = 0  # images of varied, as of many labs
    config.synthetic.size = 480  # px
    config.synthetic.seed = 0

    config.train = ConfigDict()
    config.train.samples_per_epoch = 6000  # augmented images (2.2)
    config.train.epochs = 2  # (2.4)
    config.train.batch_size = 1  # table 1
    config.train.validate_every = 500  # steps; each with a checkpoint
    config.train.log_every = 50  # steps
    config.train.average = 0.0  # decay of the parameters' average; 0: none
    config.train.rehearsal_margin = 0.01  # F that may be lost on rehearsal
    config.train.steps_per_dispatch = 0  # 0: 1 on a CPU, 10 elsewhere
    config.train.devices = 0  # that share a batch; 0: as many as divide it
    config.train.keep_programs = True  # compiled once, kept in the cache folder

    return config
