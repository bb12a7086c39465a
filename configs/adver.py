"""Adver, the paper's model: the segmentation network trained with an adversary.

    python launch.py --config=configs/adver.py --fold=2

Every value is the paper's. Where the paper leaves a value open, docs/evidence/paper.md gives the
reason for the choice. Numbers in parentheses are the paper's sections. `--config.data.root=DIR`
trains on your own images.
"""

from ml_collections import ConfigDict


def get_config():
    """Returns the paper's settings."""
    config = ConfigDict()
    config.name = "adver"  # the default work directory is runs/NAME
    config.seed = 0  # of the initial parameters and of the training samples
    config.init = ""  # a model's folder or name: start from its weights

    config.model = ConfigDict()
    config.model.name = "multiscale"  # or "unet"
    config.model.width = 60  # feature maps of the first layer (2.3.1)
    config.model.depth = 9  # blocks in each deep path (2.3.1)
    config.model.norm = "image"  # or "batch" (running averages), or "group"
    config.model.norm_momentum = 0.99  # of the running averages
    config.model.dtype = "float32"  # of products; "bfloat16" is faster on GPU and TPU
    config.model.remat = False  # True: less memory, more time, same result

    config.optimizer = ConfigDict()  # Adam, table 1
    config.optimizer.learning_rate = 1e-4
    config.optimizer.b1 = 0.5
    config.optimizer.b2 = 0.99
    config.optimizer.schedule = "constant"  # or "cosine": falls to 0 at the end
    config.optimizer.warmup = 0  # steps in which the learning rate rises from 0

    config.loss = ConfigDict()
    config.loss.weights = "balanced"  # equation 1, times 3 (2.2); or "uniform": 1
    config.loss.dice = 0.0  # weight of a soft Dice loss beside the cross entropy

    config.adversary = ConfigDict()
    config.adversary.width = 8  # feature maps of the first layer (2.3.2)
    config.adversary.depth = 6  # pairs of convolutions (2.3.2)
    config.adversary.dtype = "float32"
    config.adversary.learning_rate = 1e-3  # table 1
    config.adversary.b1 = 0.5
    config.adversary.b2 = 0.99
    config.adversary.lambda_schedule = "linear"  # or "cosine", "stepped", "constant"
    config.adversary.lambda_start = 8.3e-6  # at the first step (2.4)
    config.adversary.lambda_end = 1e-1  # at the last step (2.4)

    config.inference = ConfigDict()
    config.inference.flips = False  # True: the mean over the image and its flips

    config.data = ConfigDict()
    config.data.root = "synthetic"  # or a folder that holds dataset1/ and dataset2/
    config.data.synthetic_beside = False  # True: adds drawn datasets easy, hard, varied
    config.data.datasets = "dataset1:70,dataset2:30"  # FOLDER:SHARE of the samples (2.2)
    config.data.rehearsal = ""  # datasets that fine-tuning must not get worse at
    config.data.size = 480  # side of the network's grid, px (2.2)
    config.data.stream = "tf"  # or "numpy": the same samples without TensorFlow
    config.data.cache = ""  # folder of prepared images; "": the user's cache folder

    config.augment = ConfigDict()  # beside the paper's flips and quarter turns; 0: none
    config.augment.scale = 0.0  # largest zoom factor, in or out, minus 1
    config.augment.shift = 0.0  # largest shift along each axis, in sides of the grid
    config.augment.rotate = 0.0  # largest rotation, degrees
    config.augment.stretch = 0.0  # largest ratio of two perpendicular zooms, minus 1
    config.augment.elastic = 0.0  # standard deviation of smooth shifts, in sides
    config.augment.gamma = 0.0  # largest exponent of the intensities, minus 1
    config.augment.invert = 0.0  # probability that dark and bright are exchanged
    config.augment.illumination = 0.0  # standard deviation of log(brightness)
    config.augment.blur = 0.0  # largest standard deviation of a Gaussian blur, px
    config.augment.noise = 0.0  # largest standard deviation; intensities are in [0, 1]

    config.synthetic = ConfigDict()  # the images drawn for data.root = "synthetic"
    config.synthetic.n_easy = 120  # images of dataset1
    config.synthetic.n_hard = 120  # images of dataset2
    config.synthetic.n_varied = 0  # images of varied, in the style of many labs
    config.synthetic.size = 480  # px
    config.synthetic.seed = 0

    config.train = ConfigDict()
    config.train.samples_per_epoch = 6000  # augmented images (2.2)
    config.train.epochs = 2  # (2.4)
    config.train.batch_size = 1  # table 1
    config.train.validate_every = 500  # steps; a checkpoint follows each validation
    config.train.log_every = 50  # steps
    config.train.average = 0.0  # decay of the parameters' moving average; 0: none
    config.train.rehearsal_margin = 0.01  # largest loss of F-score on data.rehearsal
    config.train.steps_per_dispatch = 0  # 0: 1 on a CPU, 10 on other devices
    config.train.devices = 0  # devices that share a batch; 0: as many as divide the batch
    config.train.keep_programs = True  # compiled programs stay in the cache folder

    return config
