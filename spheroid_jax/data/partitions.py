"""Six partitions of each dataset (paper, section 2.2), in pure Python.

Partition 5 is the test set; fold k validates on partition k and trains on the
other four. Images of one group (well, specimen) stay together.
"""

import collections
import hashlib

PARTITIONS = 6
TEST = 5
FOLDS = 5


def partition(groups):
    """Deals the images of one dataset into six partitions.

    Larger groups first, each to the smallest partition so far; groups of a
    size in the order of a hash of their name. So the partitions' sizes differ
    by little, and they depend on nothing but the names.

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
    """The stems that a fold trains on: four partitions."""
    return sorted(
        stem
        for index, stems in enumerate(partitions)
        if index not in (fold, TEST)
        for stem in stems
    )


def _hash(name):
    return hashlib.sha256(name.encode()).hexdigest()
