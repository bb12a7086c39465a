"""Lines that commands print at the end: what was left out, what to look at."""

import collections

# Names that a line shows.
_SHOWN = 3


def left_out(files):
    """Returns a line about files that were left out; "" where there are none.

    Args:
      files: pairs of a path and the reason.
    """
    reasons = collections.Counter(reason for _, reason in files)
    if not reasons:
        return ""
    counts = ", ".join(f"{count} {reason}" for reason, count in reasons.items())
    return f"Left out: {count_of(len(files), 'file')} ({counts})."


def refused(items):
    """Returns a line about masks of images without a clear body; "" where there are none.

    Args:
      items: `lab.plan.Item`s.
    """
    if not items:
        return ""
    return (
        f"Do not trust {count_of(len(items), 'mask')}, which may be empty, in whose images no body "
        f"is clear: {names(str(item.found.path) for item in items)}. `spheroid measure` says more."
    )


def damaged(damage):
    """Returns a line about images whose pixels are damaged; "" where there are none.

    Args:
      damage: dict from `lab.plan.Item` to what is wrong, one sentence per entry.
    """
    if not damage:
        return ""
    what = "image is" if len(damage) == 1 else "images are"
    each = (f"{item.found.path} ({'; '.join(wrong)})" for item, wrong in damage.items())
    return f"{len(damage)} {what} damaged: {names(each)}."


def names(all_names):
    """Returns some names: "a.tif, b.tif, c.tif and 4 more"."""
    all_names = list(all_names)
    more = f" and {len(all_names) - _SHOWN} more" if len(all_names) > _SHOWN else ""
    return ", ".join(all_names[:_SHOWN]) + more


def count_of(number, noun):
    """Returns a number with its noun: "1 file", "2 files"."""
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun[:-1]}ies" if noun.endswith("y") else f"{number} {noun}s"
