"""Tests of `segment_stream`: the results of `segment` in order, also with unusable images."""

import threading

import numpy as np
import pytest
from helpers import dark_disk, thresholding

import spheroid_jax as sj
from spheroid_jax.inference import predict, stream


@pytest.fixture(scope="module")
def model():
    return thresholding()


@pytest.fixture
def pictures(rng):
    return [dark_disk(40 + 3 * n, (20 + n, 18 + n), 8 + n, rng)[0] for n in range(7)]


@pytest.mark.parametrize("batch_size", [0, 1, 3, 4, 16])
def test_the_results_are_those_of_segment_in_order(model, pictures, batch_size):
    results = list(sj.segment_stream(model, iter(pictures), batch_size=batch_size))
    assert len(results) == len(pictures)
    for result, picture in zip(results, pictures, strict=True):
        expected = sj.segment(model, picture)
        assert result.source is picture and result.error is None
        np.testing.assert_array_equal(result.segmentation.mask, expected.mask)
        np.testing.assert_allclose(result.segmentation.probability, expected.probability, atol=1e-5)


def test_batches_are_filled_up_to_few_sizes(model, pictures, monkeypatch):
    sizes = []
    network = predict.grid_probability

    def spy(params, grids):
        sizes.append(len(grids))
        return network(params, grids)

    monkeypatch.setattr(predict, "grid_probability", spy)
    list(stream.segment_stream(model, pictures, batch_size=4))
    assert sizes == [4, 4]  # 7 images: a batch of 4, and a batch of 3 filled up
    sizes.clear()
    list(stream.segment_stream(model, pictures[:1], batch_size=4))
    assert sizes == [1]  # a batch of one is not filled up


def test_bad_images_are_results_too(model, pictures, tmp_path):
    (tmp_path / "text.png").write_text("no image")
    sources = [
        pictures[0],
        tmp_path / "text.png",
        tmp_path / "missing.png",
        np.zeros((40, 40)),
        pictures[1],
    ]
    results = list(stream.segment_stream(model, sources, batch_size=2))
    assert [r.error is None for r in results] == [True, False, False, False, True]
    assert "not an image" in str(results[1].error)
    assert isinstance(results[2].error, FileNotFoundError)
    assert "same value" in str(results[3].error)
    assert results[1].source is sources[1] and results[1].segmentation is None


def test_no_images_no_results(model):
    assert list(stream.segment_stream(model, [])) == []


def test_few_images_are_in_memory_at_a_time(model, pictures):
    drawn = 0

    def endless():
        nonlocal drawn
        while True:
            drawn += 1
            yield pictures[0]

    results = stream.segment_stream(model, endless(), batch_size=2, threads=2)
    for used in range(40):
        next(results)
        assert drawn - used < 16
    results.close()


def test_reading_goes_on_while_the_network_works(model, pictures, monkeypatch):
    # The first call of the network returns only when the third image is being read.
    read = threading.Semaphore(0)
    network = predict.grid_probability

    def slow(params, grids):
        for _ in range(3):
            assert read.acquire(timeout=30)
        monkeypatch.setattr(predict, "grid_probability", network)
        return network(params, grids)

    def counted(params, image, prepare=predict.prepare):
        read.release()
        return prepare(params, image)

    monkeypatch.setattr(predict, "grid_probability", slow)
    monkeypatch.setattr(predict, "prepare", counted)
    assert len(list(stream.segment_stream(model, pictures, batch_size=1))) == 7


def in_work_together(monkeypatch, costs, budget, batch_size=1):
    """Runs a stream of images of given costs; returns their order and the largest sum in work."""
    monkeypatch.setattr(stream, "BUDGET_BYTES", budget)
    lock = threading.Lock()
    taken, peaks = [0], []

    def read(source):
        with lock:
            taken[0] += costs[source]
            peaks.append(taken[0])
        return np.arange(64 * 64, dtype=np.float32).reshape(64, 64)

    def finish(source, image, prepared, maps):
        with lock:
            taken[0] -= costs[source]
        return source

    options = {"threads": 4, "batch_size": batch_size, "cost": costs.__getitem__}
    found = stream.finish_stream(
        thresholding(64), range(len(costs)), read=read, finish=finish, **options
    )
    return [each.value for each in found], max(peaks)


@pytest.mark.parametrize("batch_size", [1, 4])
def test_images_in_work_stay_within_the_budget(monkeypatch, batch_size):
    costs = [1, 2, 7, 1, 3, 3, 1, 1, 6, 5, 1, 1]
    order, peak = in_work_together(monkeypatch, costs, 8, batch_size)
    assert order == list(range(len(costs)))
    assert 7 <= peak <= 8


def test_an_image_above_the_budget_is_alone(monkeypatch):
    order, peak = in_work_together(monkeypatch, [2, 50, 50, 2, 50], 8)
    assert order == [0, 1, 2, 3, 4]
    assert peak == 50
