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
    config.name = "adver"  # name of the run; its default work directory is runs/NAME
    config.seed = 0  # seed of the initial parameters and of the samples
    config.init = ""  # model to start from, a folder or a name; "": random weights

    config.model = ConfigDict()  # the segmentation network
    config.model.name = "multiscale"  # the paper's network (2.3.1); or "unet"
    config.model.width = 60  # feature maps of the first layer (2.3.1)
    config.model.depth = 9  # blocks in each deep path (2.3.1)
    config.model.norm = "image"  # statistics of each image; or "batch" (averages), or "group"
    config.model.norm_momentum = 0.99  # decay of the averages of norm = "batch"
    config.model.dtype = "float32"  # type of products; "bfloat16" is faster on GPU and TPU
    config.model.remat = False  # True: less memory, more time, same result

    config.optimizer = ConfigDict()  # Adam of the segmentation network (table 1)
    config.optimizer.learning_rate = 1e-4  # step size of Adam (table 1)
    config.optimizer.b1 = 0.5  # decay of the mean of gradients (table 1)
    config.optimizer.b2 = 0.99  # decay of the mean of squared gradients (table 1)
    config.optimizer.schedule = "constant"  # learning rate over time; or "cosine": falls to 0
    config.optimizer.warmup = 0  # steps in which the learning rate rises from 0

    config.loss = ConfigDict()  # the loss of the segmentation network
    config.loss.weights = "balanced"  # equation 1, times 3 (2.2), for each pixel; or "uniform": 1
    config.loss.dice = 0.0  # weight of a soft Dice loss beside the cross entropy
    config.loss.marker = 0.0  # weight of the loss of the markers; above 0 with model.markers
    config.loss.core = 0.0  # weight of the loss of the cores; above 0 with model.cores

    config.adversary = ConfigDict()  # the adversarial network; None: no adversary
    config.adversary.width = 8  # feature maps of the first layer (2.3.2)
    config.adversary.depth = 6  # pairs of convolutions (2.3.2)
    config.adversary.dtype = "float32"  # type of products; or "bfloat16"
    config.adversary.learning_rate = 1e-3  # step size of Adam (table 1)
    config.adversary.b1 = 0.5  # decay of the mean of gradients (table 1)
    config.adversary.b2 = 0.99  # decay of the mean of squared gradients (table 1)
    config.adversary.lambda_schedule = "linear"  # rise; or "cosine", "stepped", "constant" (2.4)
    config.adversary.lambda_start = 8.3e-6  # the adversary's weight at the first step (2.4)
    config.adversary.lambda_end = 1e-1  # the adversary's weight at the last step (2.4)

    config.inference = ConfigDict()  # how the trained model segments
    config.inference.flips = False  # True: the mean over the image and its flips

    config.data = ConfigDict()  # images and masks
    config.data.root = "synthetic"  # drawn images; or a folder that holds dataset1/ and dataset2/
    config.data.synthetic_beside = False  # True: adds drawn datasets easy, hard, varied, scenes
    config.data.crops = 0  # crops at random zoom per dataset of data.root, beside its whole images
    config.data.datasets = "dataset1:70,dataset2:30"  # FOLDER:SHARE of the samples (2.2)
    config.data.rehearsal = ""  # datasets that fine-tuning must not get worse at
    config.data.size = 480  # side of the network's grid, px (2.2)
    config.data.stream = "tf"  # input pipeline; or "numpy": the same samples without TensorFlow
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
    config.augment.noise = 0.0  # largest standard deviation of noise; intensities are in [0, 1]

    config.synthetic = ConfigDict()  # the images drawn for data.root = "synthetic"
    config.synthetic.n_easy = 120  # images of dataset1
    config.synthetic.n_hard = 120  # images of dataset2
    config.synthetic.n_varied = 0  # images of varied, in the style of many labs
    config.synthetic.n_scenes = 0  # images of scenes, with none, one or many bodies
    config.synthetic.size = 480  # longer side of a drawn image or a crop, px
    config.synthetic.seed = 0  # number of the collection of drawn images

    config.train = ConfigDict()  # length and course of training
    config.train.samples_per_epoch = 6000  # augmented images per epoch (2.2)
    config.train.epochs = 2  # passes of samples_per_epoch images (2.4)
    config.train.batch_size = 1  # images per step (table 1)
    config.train.validate_every = 500  # steps between validations; a checkpoint follows each
    config.train.log_every = 50  # steps between records of the training losses
    config.train.average = 0.0  # decay of the parameters' moving average; 0: none
    config.train.keep = "best"  # whose model is kept: the best checkpoint's; or "last"
    config.train.rehearsal_margin = 0.01  # largest loss of F-score on data.rehearsal
    config.train.steps_per_dispatch = 0  # steps per compiled program; 0: 1 on a CPU, else 10
    config.train.devices = 0  # devices that share a batch; 0: as many as divide the batch
    config.train.keep_programs = True  # whether compiled programs stay in the cache folder

    return config
