"""Benchmark tasks in PyTorch, in eager mode; each function prepares one task for a `Worker`."""

import os

import torch
from torch.nn import functional as F

from benchmarks import inputs, torch_networks
from configs import adver
from spheroid_jax.training import losses, schedules

torch.set_num_threads(len(os.sched_getaffinity(0)))


def forward(*, width, size, count, layout):
    """Prepares inference; the task returns foreground probabilities (B, S, S)."""
    network = _network(width, layout)
    image = _batch(size, count, layout)["image"]

    def run():
        with torch.inference_mode():
            return network(image).softmax(1)[:, 1].numpy()

    return run


def gradient(*, width, size, count, layout):
    """Prepares a forward and a backward pass; the task returns the first layer's gradient."""
    network = _network(width, layout)
    batch = _batch(size, count, layout)

    def run():
        network.zero_grad()
        _cross_entropy(network(batch["image"]), batch).backward()
        kernel = network.down_1.conv.weight.grad
        return kernel.numpy().transpose(2, 3, 1, 0)

    return run


def step(*, width, size, count, layout, warm=2):
    """Prepares a training step after `warm` steps; the task returns the losses."""
    config = adver.get_config()
    network, judge = _network(width, layout), _adversary(layout)
    batch = _batch(size, count, layout)
    optimizer = _adam(network, config.optimizer)
    judge_optimizer = _adam(judge, config.adversary)
    total = config.train.epochs * config.train.samples_per_epoch
    truth = F.one_hot(batch["mask"].long(), 2).permute(0, 3, 1, 2)
    seen = batch["image"] * (batch["weight"] > 0)[:, None]
    done = 0

    def verdict(product, label):
        labels = torch.full((len(product),), label)
        return F.cross_entropy(judge(product), labels)

    def run():
        nonlocal done
        logits = network(batch["image"])
        probability = logits.softmax(1)
        judge_optimizer.zero_grad()
        told = verdict(seen * truth, losses.REAL) + verdict(
            seen * probability.detach(), losses.FAKE
        )
        told.backward()
        judge_optimizer.step()

        judge.requires_grad_(False)
        optimizer.zero_grad()
        weight = schedules.linear_ramp(done, total_steps=total).item()
        cross_entropy = _cross_entropy(logits, batch)
        taken = verdict(seen * probability, losses.REAL)
        loss = cross_entropy + weight * taken
        loss.backward()
        optimizer.step()
        judge.requires_grad_(True)
        done += 1
        return torch.stack([cross_entropy, told, loss]).detach().numpy()

    for _ in range(warm):
        run()
    return run


def exporting(*, path, width, size, count):
    """Prepares the export of the network to ONNX, with images in and probabilities out."""

    class Probability(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.network = _network(width, "contiguous")

        def forward(self, image):
            return self.network(image).softmax(1)[:, 1]

    network = Probability().eval()
    image = _batch(size, count, "contiguous")["image"]
    return lambda: torch.onnx.export(
        network, (image,), path, input_names=["image"], output_names=["probability"], dynamo=False
    )


def _network(width, layout):
    network = torch_networks.SegmentationNetwork(width)
    torch_networks.load_variables(network, inputs.variables("multiscale", width))
    return network.to(memory_format=_LAYOUTS[layout])


def _adversary(layout):
    width = adver.get_config().adversary.width
    judge = torch_networks.load_variables(
        torch_networks.AdversarialNetwork(width), inputs.variables("adversary", width, channels=2)
    )
    return judge.to(memory_format=_LAYOUTS[layout])


def _adam(network, config):
    return torch.optim.Adam(
        network.parameters(), lr=config.learning_rate, betas=(config.b1, config.b2), fused=True
    )


def _batch(size, count, layout):
    batch = inputs.batch(size, count)
    batch["mask"], batch["weight"] = inputs.truth(batch)
    batch = {name: torch.from_numpy(value) for name, value in batch.items()}
    image = batch["image"][:, None]
    batch["image"] = image.contiguous(memory_format=_LAYOUTS[layout])
    return batch


def _cross_entropy(logits, batch):
    pixel = F.cross_entropy(logits, batch["mask"].long(), reduction="none")
    weight = batch["weight"]
    image = (weight * pixel).sum((1, 2)) / (weight > 0).sum((1, 2))
    return image.mean()


_LAYOUTS = {"contiguous": torch.contiguous_format, "channels last": torch.channels_last}
