"""The networks of `spheroid_jax.models` in PyTorch, for comparison.

The code is what a PyTorch user would write: NCHW, `Conv2d` with dilation 2 and stride 2,
`ConvTranspose2d`, `InstanceNorm2d`. Submodules have the names of the Linen parameters, so that
`load_variables` can copy the parameters one by one.
"""

import torch
from flax import traverse_util
from torch import nn
from torch.nn import functional as F

BLOCKS_PER_GROUP = 3


def _conv(channels, features, size=(3, 3), bias=False):
    padding = (size[0] // 2, size[1] // 2)
    return nn.Conv2d(channels, features, size, padding=padding, bias=bias)


class DownConv(nn.Module):
    """3 x 3 convolution with dilation 2 and stride 2."""

    def __init__(self, channels, features):
        """Makes the layer."""
        super().__init__()
        self.conv = nn.Conv2d(channels, features, 3, stride=2, dilation=2, padding=2)

    def forward(self, x):
        """Maps (B, C, H, W) to (B, F, H / 2, W / 2)."""
        return self.conv(x)


class IR1(nn.Module):
    """Block of DeepPath1: two added branches of 1 x 3 and 3 x 1 convolutions."""

    def __init__(self, maps):
        """Makes the layers."""
        super().__init__()
        self.short_1, self.long_1, self.long_3 = (_conv(maps, maps, (1, 3)) for _ in range(3))
        self.short_2, self.long_2, self.long_4 = (_conv(maps, maps, (3, 1)) for _ in range(3))
        self.norm = nn.InstanceNorm2d(maps, affine=True)

    def forward(self, x):
        """Maps (B, C, H, W) to (B, C, H, W)."""
        short = self.short_2(self.short_1(x))
        long = self.long_4(self.long_3(self.long_2(self.long_1(x))))
        return F.relu(self.norm(x + short + long))


class IR2(nn.Module):
    """Block of DeepPath2: two concatenated branches of 3 x 3 convolutions."""

    def __init__(self, maps):
        """Makes the layers."""
        super().__init__()
        self.short_1, self.long_1, self.long_2 = (_conv(maps, maps) for _ in range(3))
        self.reduce = _conv(3 * maps, maps, (1, 1))
        self.norm = nn.InstanceNorm2d(maps, affine=True)

    def forward(self, x):
        """Maps (B, C, H, W) to (B, C, H, W)."""
        long = self.long_2(self.long_1(x))
        joined = torch.cat([x, self.short_1(x), long], 1)
        return F.relu(self.norm(self.reduce(joined)))


class SegmentationNetwork(nn.Module):
    """PyTorch version of `spheroid_jax.models.segmentation.SegmentationNetwork`."""

    def __init__(self, width=60, depth=9):
        """Makes the layers."""
        super().__init__()
        maps = [width, 2 * width, 4 * width, 8 * width]
        self.depth = depth
        for level, channels in enumerate([1, *maps[:3]]):
            setattr(self, f"down_{level + 1}", DownConv(channels, maps[level]))
        for n in range(1, depth + 1):
            setattr(self, f"path_1_block_{n}", IR1(maps[2]))
            setattr(self, f"path_2_block_{n}", IR2(maps[3]))
        self.path_1_end = _conv(maps[2], maps[2], bias=True)
        channels = [maps[3], 2 * maps[2], 2 * maps[1], 2 * maps[0]]
        for level, features in enumerate([maps[2], maps[1], maps[0], 2]):
            deconv = nn.ConvTranspose2d(channels[level], features, 2, stride=2)
            setattr(self, f"up_{level + 1}", deconv)

    def forward(self, image):
        """Maps (B, 1, H, W) to logits (B, 2, H, W); H and W must be divisible by 16."""
        half = F.relu(self.down_1(image))
        quarter = F.relu(self.down_2(half))
        eighth = F.relu(self.down_3(quarter))
        sixteenth = F.relu(self.down_4(eighth))
        path_1 = F.relu(self.path_1_end(self._deep_path("path_1", eighth)))
        x = self._deep_path("path_2", sixteenth)
        x = torch.cat([F.relu(self.up_1(x)), path_1], 1)
        x = torch.cat([F.relu(self.up_2(x)), quarter], 1)
        x = torch.cat([F.relu(self.up_3(x)), half], 1)
        return self.up_4(x)

    def _deep_path(self, name, x):
        path_input = group_input = x
        for n in range(1, self.depth + 1):
            x = getattr(self, f"{name}_block_{n}")(x)
            if n % BLOCKS_PER_GROUP == 0:
                x = group_input = x + group_input
        return x + path_input


class AdversarialNetwork(nn.Module):
    """PyTorch version of `spheroid_jax.models.adversary.AdversarialNetwork`."""

    def __init__(self, width=8, depth=6):
        """Makes the layers."""
        super().__init__()
        self.depth = depth
        channels = 2
        for level in range(1, depth + 1):
            maps = width * 2 ** (level - 1)
            setattr(self, f"down_{level}", DownConv(channels, maps))
            setattr(self, f"mix_{level}", _conv(maps, maps, (1, 1), bias=True))
            channels = maps
        self.classes = _conv(channels, 2, bias=True)

    def forward(self, x):
        """Maps (B, 2, H, W) to logits (B, 2)."""
        for level in range(1, self.depth + 1):
            x = F.leaky_relu(getattr(self, f"down_{level}")(x), 0.2)
            x = F.leaky_relu(getattr(self, f"mix_{level}")(x), 0.2)
        return self.classes(x).mean((2, 3))


def load_variables(module, variables):
    """Copies Linen variables into a module of this file, and returns it."""
    flat = traverse_util.flatten_dict(variables["params"])
    missing = {name for name, _ in module.named_parameters()}
    for (*path, leaf), value in flat.items():
        layer = module.get_submodule(".".join(path))
        name = "bias" if leaf == "bias" else "weight"
        if leaf == "kernel":
            value = _kernel(layer, value)
        with torch.no_grad():
            getattr(layer, name).copy_(torch.from_numpy(value.copy()))
        missing.remove(".".join([*path, name]))
    if missing:
        raise ValueError(f"no value for {', '.join(sorted(missing))}")
    return module


def _kernel(layer, value):
    """Transposes a Linen kernel, a NumPy array, to PyTorch's order of axes."""
    if isinstance(layer, nn.ConvTranspose2d):
        channels = value.shape[0]
        return value.reshape(channels, 2, 2, -1).transpose(0, 3, 1, 2)
    return value.transpose(3, 2, 0, 1)
