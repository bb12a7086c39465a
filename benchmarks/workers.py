"""Processes that hold one piece of work each and run it when asked.

Every framework gets a process of its own, so that neither its threads nor its
memory are another's, and the processes take turns: what the machine does
beside falls on all alike, and ratios within a round mean something.
"""

import contextlib
import gc
import importlib
import multiprocessing
import os
import time

import numpy as np

# Threads of a pool go on spinning a while after their work.
_REST_S = 0.1


class Worker:
    """A process that has prepared one piece of work.

    Attributes:
      output: what the work returned when it was first run, for comparison.
      start_s: seconds from the process's start to that first result.
    """

    def __init__(self, work, *, cores=None, environment=(), **arguments):
        """Starts the process and waits until it has run the work once.

        Args:
          work: "module:function" of this package; called with `arguments`, it
            returns a function of no arguments that does the work and returns
            an array, or None.
          cores: how many CPU cores the process may use; None: all.
          environment: pairs (variable, value), set before anything is
            imported.
          **arguments: of `work`.
        """
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(theirs, work, cores, tuple(environment), arguments), daemon=True
        )
        start = time.perf_counter()
        self._process.start()
        theirs.close()
        self.output = self._receive()
        self.start_s = time.perf_counter() - start

    def run(self):
        """Runs the work once; returns its seconds."""
        self.begin()
        return self.end()

    def begin(self, times=1):
        """Has the work run, and does not wait for it."""
        self._connection.send(("run", times))

    def end(self):
        """Waits for what `begin` began; returns its seconds."""
        return self._receive()

    def peak_bytes(self):
        """The most memory that the process ever held (resident)."""
        self._connection.send(("peak", None))
        return self._receive()

    def close(self):
        """Ends the process."""
        self._connection.close()
        self._process.join(10)
        self._process.kill()

    def _receive(self):
        try:
            value = self._connection.recv()
        except EOFError:
            self._process.join(10)
            raise RuntimeError(f"a benchmark process ended with {self._process.exitcode}") from None
        if isinstance(value, Exception):
            raise value
        return value


@contextlib.contextmanager
def running(specifications):
    """Starts workers by name; ends them all.

    Args:
      specifications: dict from name to the keyword arguments of `Worker`.

    Yields:
      dict from name to `Worker`.
    """
    with contextlib.ExitStack() as stack:
        workers = {}
        for name, arguments in specifications.items():
            workers[name] = Worker(**arguments)
            stack.callback(workers[name].close)
        yield workers


def take_turns(workers, rounds):
    """Runs each worker once a round; the first round is not counted.

    Args:
      workers: dict from name to `Worker`.
      rounds: how many.

    Returns:
      dict from name to a list of seconds.
    """
    seconds = {name: [] for name in workers}
    for number in range(rounds + 1):
        for name, worker in workers.items():
            time.sleep(_REST_S)
            taken = worker.run()
            if number:
                seconds[name].append(taken)
    return seconds


def check_agreement(workers, tolerance):
    """Raises where a worker's output differs from the first one's.

    Args:
      workers: dict from name to `Worker`.
      tolerance: by how much, relative to the largest value.

    Returns:
      dict from name to the largest relative difference.
    """
    outputs = {name: worker.output for name, worker in workers.items()}
    reference = next(iter(outputs.values()))
    scale = np.abs(reference).max()
    differences = {
        name: float(np.abs(output - reference).max() / scale) for name, output in outputs.items()
    }
    for name, difference in differences.items():
        if not difference <= tolerance:
            raise RuntimeError(
                f"{name} computes something else: it differs by {difference:g} "
                f"of the largest value, and {tolerance:g} is allowed"
            )
    return differences


def _serve(connection, work, cores, environment, arguments):
    """The process: prepares the work, then does as it is told."""
    if cores is not None:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    os.environ.update(environment)
    module, function = work.split(":")
    try:
        run = getattr(importlib.import_module(module), function)(**arguments)
        connection.send(run())
    except Exception as error:
        connection.send(RuntimeError(f"{work}: {error!r}"))
        raise
    gc.disable()
    with contextlib.suppress(EOFError):
        while True:
            request, times = connection.recv()
            if request == "peak":
                connection.send(_peak_bytes())
                continue
            start = time.perf_counter()
            for _ in range(times):
                run()
            connection.send(time.perf_counter() - start)


def _peak_bytes():
    with open("/proc/self/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    raise OSError("/proc/self/status has no VmHWM")
