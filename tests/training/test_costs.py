"""Tests of the networks' numbers of parameters and operations."""

import functools
import math
import types

import numpy as np
import pytest
from helpers import ROOT

from spheroid_jax import models
from spheroid_jax.training import costs

# Kept here, because a test replaces `costs.count`.
COUNT = costs.count


@functools.cache
def count(name, channels):
    return COUNT(models.build(name), 480, channels)


def conv_size(kernel, inputs, outputs, bias=True):
    return kernel * inputs * outputs + bias * outputs


def test_parameters_of_the_segmentation_network():
    norm = 2  # scale and bias
    down = [(1, 60), (60, 120), (120, 240), (240, 480)]
    up = [(480, 240), (240 + 240, 120), (120 + 120, 60), (60 + 60, 2)]
    inception_1 = 6 * conv_size(3, 240, 240, bias=False) + norm * 240
    inception_2 = (
        3 * conv_size(9, 480, 480, bias=False) + conv_size(1, 3 * 480, 480, bias=False) + norm * 480
    )
    expected = (
        sum(conv_size(9, *maps) for maps in down)
        + 9 * inception_1
        + conv_size(9, 240, 240)
        + 9 * inception_2
        + sum(conv_size(4, *maps) for maps in up)
    )
    assert count("multiscale", 1)[0] == expected == 74_183_222


def test_parameters_of_the_adversarial_network():
    maps = [2, 8, 16, 32, 64, 128, 256]
    expected = conv_size(9, 256, 2)
    for inputs, outputs in zip(maps, maps[1:], strict=False):
        expected += conv_size(9, inputs, outputs)
        expected += conv_size(1, outputs, outputs)
    assert count("adversary", 2)[0] == expected == 485_954


def test_parameters_of_the_unet():
    maps = [1, 64, 128, 256, 512, 1024]
    expected = conv_size(1, 64, 2)
    for inputs, outputs in zip(maps, maps[1:], strict=False):
        expected += conv_size(9, inputs, outputs)
        expected += conv_size(9, outputs, outputs)
    for outputs, inputs in zip(maps[1:], maps[2:], strict=False):
        expected += conv_size(4, inputs, outputs)
        expected += conv_size(9, 2 * outputs, outputs)
        expected += conv_size(9, outputs, outputs)
    assert count("unet", 1)[0] == expected == 31_030_658


def products(side, kernel, inputs, outputs):
    """Counts the operations of a convolution, without the products with padding."""
    taps = math.prod(k * side - 2 * (k // 2) for k in kernel)
    return 2 * taps * inputs * outputs


def test_arithmetic_of_the_segmentation_network():
    square = (3, 3)
    expected = sum(
        products(480 // 2**level, square, inputs, outputs)
        for level, inputs, outputs in [(1, 1, 60), (2, 60, 120), (3, 120, 240), (4, 240, 480)]
    )
    for _ in range(9):
        expected += 3 * products(60, (1, 3), 240, 240)
        expected += 3 * products(60, (3, 1), 240, 240)
        expected += 3 * products(30, square, 480, 480)
        expected += products(30, (1, 1), 3 * 480, 480)
    expected += products(60, square, 240, 240)
    for side, inputs, outputs in [(30, 480, 240), (60, 480, 120), (120, 240, 60), (240, 120, 2)]:
        expected += products(side, (1, 1), inputs, 4 * outputs)
    assert count("multiscale", 1)[1] == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize(
    ("name", "channels", "gflop"),
    [("multiscale", 1, 187.5), ("adversary", 2, 0.2285), ("unet", 1, 334.2)],
)
def test_arithmetic_is_pinned(name, channels, gflop):
    assert count(name, channels)[1] == pytest.approx(gflop * 1e9, rel=0.01)


def test_every_line_of_the_table_is_in_the_documentation(monkeypatch):
    def counted(module, size, channels):
        assert size == 480
        names = {type: name for name, type in models.NETWORKS.items()}
        return count(names[type(module)], channels)

    monkeypatch.setattr(costs, "count", counted)
    lines = costs.table().splitlines()
    assert len(lines) == 5
    document = ROOT / "docs" / "evidence" / "paper.md"
    documented = document.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line not in documented] == []


def test_expected_time_follows_from_the_measured_rate(monkeypatch):
    # A clock by which each product takes half a second.
    clock = types.SimpleNamespace(perf_counter=iter(np.arange(0, 100, 0.5)).__next__)
    monkeypatch.setattr(costs, "time", clock)
    product = 2 * 1024**3
    assert costs.expected_seconds(0.7 * product) == pytest.approx(0.5)
    assert costs.expected_seconds(7 * product) == pytest.approx(5)
