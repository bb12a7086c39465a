"""Tests of the six partitions: disjoint, complete, grouped, of even size, and stable."""

import collections
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spheroid_jax.data import partitions
from spheroid_jax.workdir import FOLDS, Workdir

# Sizes of at least six groups: from all equal to one very large group.
_sizes = st.lists(st.integers(1, 30), min_size=6, max_size=40)


def _grouped(sizes):
    """Returns a dict from stem to group, with groups of the given sizes."""
    return {
        f"image_{group}_{n}": f"well_{group}"
        for group, size in enumerate(sizes)
        for n in range(size)
    }


def _single(count):
    """Returns a dict from stem to group in which each image is its own group."""
    return {f"image_{n}": f"image_{n}" for n in range(count)}


@settings(deadline=None)
@given(_sizes)
def test_partitions_are_disjoint_covering_and_sorted(sizes):
    groups = _grouped(sizes)
    parts = partitions.partition(groups)
    assert len(parts) == 6
    assert all(part == sorted(part) for part in parts)
    assert sorted(sum(parts, [])) == sorted(groups)


@settings(deadline=None)
@given(_sizes)
def test_no_partition_is_empty_and_groups_stay_together(sizes):
    groups = _grouped(sizes)
    parts = partitions.partition(groups)
    homes = collections.defaultdict(set)
    for number, part in enumerate(parts):
        assert part
        for stem in part:
            homes[groups[stem]].add(number)
    assert all(len(numbers) == 1 for numbers in homes.values())


@settings(deadline=None)
@given(_sizes)
def test_no_partition_exceeds_another_by_more_than_its_smallest_group(sizes):
    # Each group goes to the smallest partition, and the largest groups come first. So the last
    # group of a partition is its smallest one. Without this group the partition is not larger than
    # any other partition was at that moment, nor than any other is at the end.
    groups = _grouped(sizes)
    parts = partitions.partition(groups)
    smallest = min(map(len, parts))
    for part in parts:
        least = min(collections.Counter(groups[s] for s in part).values())
        assert len(part) - least <= smallest


@settings(deadline=None)
@given(st.integers(6, 200))
def test_single_images_are_dealt_evenly(count):
    lengths = [len(part) for part in partitions.partition(_single(count))]
    assert max(lengths) - min(lengths) <= 1


@settings(deadline=None)
@given(st.data())
def test_partitions_depend_on_the_names_alone_not_on_their_order(data):
    groups = _grouped(data.draw(_sizes))
    shuffled = dict(data.draw(st.permutations(list(groups.items()))))
    assert partitions.partition(shuffled) == partitions.partition(groups)


def test_partitions_are_the_same_on_every_machine():
    # Published splits depend on these names: a change of the rule needs a new version.
    groups = _grouped([4, 1, 1, 1, 2, 1, 1, 3])
    assert partitions.partition(groups) == [
        ["image_0_0", "image_0_1", "image_0_2", "image_0_3"],
        ["image_7_0", "image_7_1", "image_7_2"],
        ["image_4_0", "image_4_1"],
        ["image_1_0", "image_5_0"],
        ["image_2_0", "image_3_0"],
        ["image_6_0"],
    ]


def test_names_beyond_ascii_are_partitioned():
    groups = {f"Sphäroid {n} µm 球": f"Näpfchen {n % 6}" for n in range(12)}
    parts = partitions.partition(groups)
    assert [len(part) for part in parts] == [2] * 6


@pytest.mark.parametrize(
    ("groups", "count"),
    [({}, 0), (_single(5), 5), (_grouped([10] * 5), 5)],
    ids=["no image", "five images", "five groups"],
)
def test_fewer_than_six_groups_are_an_error_that_says_the_need(groups, count):
    with pytest.raises(ValueError, match="at least 6 images, of 6 groups") as e:
        partitions.partition(groups)
    assert f"{len(groups)} images in {count} groups" in str(e.value)


def test_a_fold_trains_on_neither_its_validation_nor_the_test_images():
    parts = partitions.partition(_single(45))
    test = set(parts[partitions.TEST])
    validated = []
    for fold in range(FOLDS):
        trained = partitions.training(parts, fold)
        assert trained == sorted(trained)
        assert not test & set(trained)
        assert not set(parts[fold]) & set(trained)
        assert len(trained) == 45 - len(test) - len(parts[fold])
        validated += parts[fold]
    assert sorted([*validated, *test]) == sorted(_single(45))


# Partitions kept in a work directory.


@pytest.fixture
def groups():
    return {"hard": _single(13), "easy": _grouped([2] * 8)}


def _digests(groups):
    return {
        dataset: {stem: f"hash of {stem}" for stem in stems} for dataset, stems in groups.items()
    }


def test_a_new_work_directory_gets_the_partitions(tmp_path, groups):
    path = tmp_path / "run/partitions.json"
    parts = partitions.assign(Workdir(path.parent), groups, _digests(groups))
    assert parts == {dataset: partitions.partition(stems) for dataset, stems in groups.items()}
    written = json.loads(path.read_text("utf-8"))
    assert written == {"partitions": parts, "digests": _digests(groups)}


def test_what_is_written_is_obeyed_and_left_alone(tmp_path, groups):
    path = tmp_path / "partitions.json"
    partitions.assign(Workdir(path.parent), groups, _digests(groups))
    written = json.loads(path.read_text("utf-8"))
    for parts in written["partitions"].values():
        parts[0], parts[5] = parts[5], parts[0]
    path.write_text(json.dumps(written))
    # The algorithm would make other partitions, and other groups would change them, too.
    groups["easy"] = {stem: stem for stem in groups["easy"]}
    again = partitions.assign(Workdir(path.parent), groups, _digests(groups))
    assert again == written["partitions"]
    assert json.loads(path.read_text("utf-8")) == written


def test_datasets_come_in_the_callers_order_the_second_time_too(tmp_path, groups):
    path = tmp_path / "partitions.json"
    first = partitions.assign(Workdir(path.parent), groups, _digests(groups))
    again = partitions.assign(Workdir(path.parent), groups, _digests(groups))
    assert list(first) == list(again) == ["hard", "easy"]
    assert first == again


def test_a_dataset_that_is_too_small_is_named_and_nothing_written(tmp_path, groups):
    path = tmp_path / "partitions.json"
    groups["hard"] = _single(4)
    with pytest.raises(ValueError, match="^hard: 4 images in 4 groups"):
        partitions.assign(Workdir(path.parent), groups, _digests(groups))
    assert not path.exists()


def test_added_missing_and_changed_images_are_named(tmp_path, groups):
    path = tmp_path / "run_3/partitions.json"
    digests = _digests(groups)
    partitions.assign(Workdir(path.parent), groups, digests)
    before = path.read_bytes()
    del digests["hard"]["image_4"]
    digests["hard"]["image_7"] = "another"
    digests["easy"]["image_1_0"] = "another"
    digests["easy"]["new"] = "hash of new"
    with pytest.raises(ValueError, match="not the one that") as error:
        partitions.assign(Workdir(path.parent), groups, digests)
    message = str(error.value)
    assert str(tmp_path / "run_3") in message
    assert "added easy/new;" in message
    assert "missing hard/image_4;" in message
    assert "changed easy/image_1_0, hard/image_7;" in message
    assert path.read_bytes() == before


def test_of_many_differences_five_are_named_and_the_rest_counted(tmp_path, groups):
    path = tmp_path / "partitions.json"
    digests = _digests(groups)
    partitions.assign(Workdir(path.parent), groups, digests)
    del digests["hard"]
    with pytest.raises(ValueError, match="hard/image_12 and 8 more") as error:
        partitions.assign(Workdir(path.parent), {"easy": groups["easy"]}, digests)
    assert str(error.value).count("hard/") == 5
    assert "added" not in str(error.value)
