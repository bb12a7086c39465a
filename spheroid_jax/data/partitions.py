"""Partitions of each dataset into six parts, without random numbers (paper, section 2.2).

Partition 5 is the test set. Fold k validates on partition k and trains on the four others. Images
of one group, such as a well or a specimen, are in the same partition.
"""

import collections
import hashlib

from spheroid_jax.errors import UserError

PARTITIONS = 6
TEST = 5


class PartitionError(UserError, ValueError):
    """A dataset is too small, or has changed since it was partitioned; the message says which."""


def partition(groups):
    """Divides the images of one dataset into six partitions.

    Each group goes to the partition that has the fewest images so far, the largest groups first.
    Groups of equal size follow the order of a hash of their names. So the sizes of the partitions
    differ little, and the partitions depend only on the names.

    Args:
      groups: dict from stem to group.

    Returns:
      Six sorted lists of stems.

    Raises:
      ValueError: fewer than six groups.
    """
    members = collections.defaultdict(list)
    for stem, group in groups.items():
        members[group].append(stem)
    if len(members) < PARTITIONS:
        raise ValueError(
            f"{len(groups)} images in {len(members)} groups; six partitions "
            f"need at least {PARTITIONS} images, of {PARTITIONS} groups"
        )
    partitions = [[] for _ in range(PARTITIONS)]
    for group in sorted(members, key=lambda g: (-len(members[g]), _hash(g))):
        min(partitions, key=len).extend(members[group])
    return [sorted(stems) for stems in partitions]


def training(partitions, fold):
    """Returns the sorted stems of the four partitions that a fold trains on."""
    return sorted(
        stem
        for index, stems in enumerate(partitions)
        if index not in (fold, TEST)
        for stem in stems
    )


def _hash(name):
    return hashlib.sha256(name.encode()).hexdigest()


def assign(workdir, groups, digests):
    """Partitions all datasets, or reads the partitions of a work directory that has some.

    Args:
      workdir: `Workdir`; gets the partitions if it has none.
      groups: dict from dataset to dict from stem to group.
      digests: dict from dataset to dict from stem to a hash of the image and its mask.

    Returns:
      dict from dataset to six sorted lists of stems.

    Raises:
      PartitionError: a dataset is too small, or the images are not those that the work directory
        was begun with; the message says what differs.
    """
    written = workdir.read_partitions()
    if written is None:
        parts = {}
        for dataset in groups:
            try:
                parts[dataset] = partition(groups[dataset])
            except ValueError as error:
                raise PartitionError(f"{dataset}: {error}") from None
        workdir.write_partitions(parts, digests)
        return parts
    differences = _differences(_flat(written["digests"]), _flat(digests))
    if differences:
        raise PartitionError(
            f"the data root is not the one that {workdir.path} was begun with: "
            f"{'; '.join(differences)}; restore the images, or give another --workdir"
        )
    # JSON sorts the datasets, but the stream depends on their order in the call.
    return {dataset: written["partitions"][dataset] for dataset in groups}


def _differences(before, now):
    changed = {k for k in before.keys() & now.keys() if before[k] != now[k]}
    return [
        f"{what} {', '.join(sorted(names)[:5])}"
        + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        for what, names in (
            ("added", now.keys() - before.keys()),
            ("missing", before.keys() - now.keys()),
            ("changed", changed),
        )
        if names
    ]


def _flat(tree):
    return {
        f"{dataset}/{stem}": value
        for dataset, values in tree.items()
        for stem, value in values.items()
    }
