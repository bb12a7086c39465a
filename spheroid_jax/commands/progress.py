"""Progress of a command over images: a bar on a terminal, problems on lines of their own."""

import sys

from spheroid_jax.commands import failures

# How progress looks, for tqdm: count, bar, rate, time left.
_BAR = "{n_fmt} of {total_fmt} images |{bar}| {rate_noinv_fmt}, {remaining} left"


class Bar:
    """A progress bar.

    Attributes:
      done: images that are done.
      total: all images; 0 as long as nobody knows.
    """

    def __init__(self, name):
        """Makes a bar; nothing is shown yet.

        Args:
          name: the command as the user typed it, with which problems begin.
        """
        self.done = self.total = 0
        self._name = name
        self._bar = None

    def __enter__(self):
        """Returns the bar."""
        return self

    def __exit__(self, *exception):
        """Wipes the bar."""
        self.close()

    def close(self):
        """Wipes the bar."""
        if self._bar is not None:
            self._bar.close()

    def show(self, done, total, problem=None, *, earlier=0):
        """Shows how far the command is.

        Args:
          done: images that are done.
          total: all images.
          problem: an exception or a message about the last image; "" or None where there is none.
          earlier: how many of the done images took no time, since an earlier run had done them.
        """
        import tqdm

        if self._bar is None:
            self._bar = tqdm.tqdm(
                total=total,
                bar_format=_BAR,
                unit=" images",
                dynamic_ncols=True,
                leave=False,
                smoothing=0,  # The time left follows the mean rate, which does not jump.
                disable=None,  # Where stderr is not a terminal.
            )
        # The rate, from which the time left follows, is that of images that take time.
        self._bar.initial = earlier
        self._bar.update(done - self.done)
        self.done, self.total = done, total
        if problem:
            with self._bar.external_write_mode(file=sys.stderr):
                failures.complain(self._name, problem)
