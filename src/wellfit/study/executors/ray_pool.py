"""Ray: the machines that train the parts of a study, as a ``Pool``."""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import os
import pickle
import socket
import threading
import time
import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from wellfit.errors import WellfitError
from wellfit.study.executors.address import Address, read_address
from wellfit.study.executors.quiet import own_signals, silent, without_native_words
from wellfit.study.provenance import versions

if TYPE_CHECKING:
    from wellfit.base import Dataset
    from wellfit.spec.study import DataSpec
    from wellfit.study.executors.parts import Event, Failed, Job, Node, Reported, Trained

__all__ = ["RayPool", "usable_address"]

ANSWER_SECONDS: Final = 10.0
"""Seconds in which something has to answer at the address of a cluster."""

CONNECT_SECONDS: Final = 30.0
"""Seconds in which what answers there has to be found to be a Ray; a busy machine takes a while."""

REPORT_SECONDS: Final = 1.0
"""Seconds between two reports of a part, at least; of many parts, together not more than 20 a second."""

COUNT_SECONDS: Final = 5.0
"""Seconds between two counts of the machines."""

_START_SECONDS: Final = 120.0  # in which a process on every machine has to import wellfit
_STORE_BYTES: Final = 300 << 20  # of the object store of a Ray that is started here, besides the data
_QUIET: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_raylet_start_wait_time_s": "120",
}
_CLIENT: Final = {"RAY_CLIENT_INITIAL_CONNECTION_TIMEOUT_S": "8", "RAY_CLIENT_MAX_CONNECTION_TIMEOUT_S": "8"}


def usable_address(text: str) -> Address:
    """The place that ``--on`` asks for, if Ray is installed.

    Raises:
      StudyFileError: not an address.
      WellfitError: Ray is not installed.
    """
    address = read_address(text)
    if importlib.util.find_spec("ray") is None:
        raise WellfitError(
            f'--on {address} needs Ray, which is not installed; install it with: pip install "wellfit[ray]"'
        )
    return address


class RayPool:
    """The machines of a Ray cluster, or this one; the connection is made when it is first needed.

    The kind of device is that of this process: where it has a GPU, every part gets one; else two processor cores.

    Args:
      address: of the cluster.
      dataset: all data of the study; every machine gets them once.
      spec: how they are divided and scaled.
    """

    def __init__(self, address: Address, dataset: Dataset, spec: DataSpec) -> None:
        for name, value in (_QUIET | _CLIENT).items():
            os.environ.setdefault(name, value)
        self._address, self._content = address, (dataset, spec)
        self._ray: Any = None  # the module, once there is a connection
        self._own = False  # whether the connection is ours to close
        self._further = 0  # bytes that other pools put into the same object store
        self._counted: tuple[int, float] | None = None  # places, and when
        self._task: Any = None
        self._data: Any = None
        self._mailbox: Any = None
        self.lost: list[str] = []
        self._nodes: list[Node] = []
        self._running: dict[Any, int] = {}  # what is asked for -> its ticket
        self._parts: dict[int, int] = {}  # ticket -> part; reports of an earlier batch or attempt are no one's
        self._tickets = itertools.count()
        self._asked: Any = None
        self._asked_at = 0.0

    # --- The machines

    @property
    def devices(self) -> int:
        """The number of devices that a part trains on."""
        import jax

        from wellfit.engine.devices import FEWEST, mesh

        return FEWEST if mesh() and jax.default_backend() == "cpu" else 1

    @property
    def here(self) -> bool:
        """Whether it is this machine."""
        return not self._address.host

    @property
    def places(self) -> int:
        """How many parts train side by side now; counted again after some seconds, since a cluster may grow."""
        if self._counted is None or time.monotonic() - self._counted[1] > COUNT_SECONDS:
            with self._reached():
                total, each = self._connected().cluster_resources(), self._needs()
            places = min(int(total.get(name, 0) // count) for name, count in each.items() if count)
            self._counted = max(1, places), time.monotonic()
        return self._counted[0]

    @property
    def nodes(self) -> Sequence[Node]:
        """What every machine of the cluster says of itself."""
        return self._nodes or self._asked_nodes()

    def _needs(self) -> dict[str, float]:
        """What a part needs of a machine: on one with a single core, two devices share it."""
        if self.devices == 1:
            return {"CPU": 1, "GPU": 1}
        cores = max((node["Resources"].get("CPU", 0) for node in self._alive()), default=0)
        return {"CPU": max(1.0, min(float(self.devices), cores)), "GPU": 0}

    def _alive(self) -> list[dict[str, Any]]:
        return [node for node in self._connected().nodes() if node["Alive"]]

    def _asked_nodes(self) -> list[Node]:
        ray = self._connected()
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy as On

        able = [node for node in self._alive() if node["Resources"].get("CPU", 0)]
        if self.devices == 1 and not any(node["Resources"].get("GPU", 0) for node in able):
            raise WellfitError(
                f"--on {self._address}: this machine trains on a GPU, and the cluster has none; to train on "
                "processors, set JAX_PLATFORMS=cpu"
            )
        ask, setup = ray.remote(_describe), (self.devices, self._platform())
        options = {"num_cpus": 0, "max_retries": 0}
        places = [On(node["NodeID"], soft=False) for node in able]
        refs = [ask.options(**options, scheduling_strategy=place).remote(*setup) for place in places]
        try:
            self._nodes = ray.get(refs, timeout=_START_SECONDS)
        except ray.exceptions.GetTimeoutError:
            raise WellfitError(
                f"--on {self._address}: the cluster has no free worker within {_START_SECONDS:.0f} s; wait for its "
                "other jobs, or check its machines with: ray status"
            ) from None
        except ray.exceptions.RayError as error:
            raise WellfitError(
                f"--on {self._address}: a worker cannot load wellfit ({_first_line(error)}); install the same "
                "versions of wellfit and JAX on every machine of the cluster"
            ) from None
        if not self._nodes:
            raise WellfitError(f"--on {self._address}: no machine of the cluster has a processor core to train on")
        return self._nodes

    def _platform(self) -> str:
        return "gpu" if self.devices == 1 else "cpu"

    # --- Parts

    def submit(self, number: int, job: Job) -> None:
        """Let a part be trained; its events have its number."""
        interval, setup = max(REPORT_SECONDS, self.places / 20), (self.devices, self._platform(), versions())
        with self._reached():
            if self._task is None:
                self._prepare()
            ticket = next(self._tickets)
            self._running[self._task.remote(job, self._data, self._mailbox, ticket, interval, setup)] = ticket
        self._parts[ticket] = number

    def _prepare(self) -> None:
        """What all parts share: their data, which are sent to every machine once, and where they report."""
        ray, needs = self._connected(), self._needs()
        self._data = ray.put(self._content)
        self._mailbox = ray.remote(_mailbox()).options(num_cpus=0, max_restarts=-1).remote()
        self._task = ray.remote(_train).options(num_cpus=needs["CPU"], num_gpus=needs["GPU"], max_retries=0)

    def events(self, seconds: float) -> Sequence[tuple[int, Event]]:
        """What happened, after waiting for at most these seconds if nothing did.

        Raises:
          WellfitError: the connection is lost.
        """
        with self._reached():
            return list(self._events(seconds))

    @contextlib.contextmanager
    def _reached(self) -> Iterator[None]:
        """What Ray itself raises, in one line."""
        exceptions = self._connected().exceptions
        try:
            yield
        except exceptions.ObjectStoreFullError:
            raise WellfitError(
                f"--on {self._address}: the data do not fit the object store of the cluster; start Ray with a larger "
                "--object-store-memory"
            ) from None
        except (exceptions.RaySystemError, ConnectionError) as error:
            raise WellfitError(
                f"--on {self._address}: the connection to Ray was lost ({_first_line(error)}); finished runs are "
                "kept: run the same command again to continue"
            ) from None

    def _events(self, seconds: float) -> Iterator[tuple[int, Event]]:
        if self._asked is None and time.monotonic() - self._asked_at > REPORT_SECONDS:
            self._asked, self._asked_at = self._mailbox.take.remote(), time.monotonic()
        refs = [*self._running, *([] if self._asked is None else [self._asked])]
        ready, others = self._ray.wait(refs, timeout=seconds)
        more = self._ray.wait(others, num_returns=len(others), timeout=0)[0] if others else []
        if self._asked in (*ready, *more):
            yield from self._reports()
        for ref in (*ready, *more):
            if (ticket := self._running.pop(ref, None)) is not None:
                yield self._parts.pop(ticket), self._outcome(ref)

    def _reports(self) -> Iterator[tuple[int, Reported]]:
        """What the mailbox has collected; nothing where it died, since it starts again by itself."""
        asked, self._asked = self._asked, None
        with contextlib.suppress(self._ray.exceptions.RayError):
            for ticket, report in self._ray.get(asked):
                if ticket in self._parts:
                    yield self._parts[ticket], pickle.loads(report)

    def _outcome(self, ref: Any) -> Event:
        from wellfit.study.executors.parts import Lost

        exceptions = self._ray.exceptions
        try:
            outcome: Trained | Failed = self._ray.get(ref)
            return outcome
        except exceptions.RayTaskError as error:
            if isinstance(error.cause, WellfitError):
                raise error.cause from None
            raise WellfitError(
                f"--on {self._address}: a part failed ({_first_line(error)}); finished runs are kept"
            ) from error
        except exceptions.OutOfMemoryError:
            reason = "its machine ran out of memory"
        except (exceptions.NodeDiedError, exceptions.ObjectLostError):
            reason = "its machine is gone"
        except exceptions.WorkerCrashedError:
            reason = "its process died"
        except exceptions.RayError as error:
            reason = _first_line(error)
        self.lost.append(reason)
        return Lost(reason)

    def stop(self) -> None:
        """Give up all parts that were submitted."""
        for ref in self._running:
            with contextlib.suppress(self._ray.exceptions.RayError, ConnectionError):
                self._ray.cancel(ref, force=True)
        self._running, self._parts = {}, {}

    # --- The connection

    def connect(self, further: int = 0) -> None:
        """Connect now; what other pools of this process use, too.

        Args:
          further: bytes of the data of these pools.

        Raises:
          WellfitError: nothing answers, or no Ray starts here.
        """
        self._further = further
        self._connected()

    def _connected(self) -> Any:
        if self._ray is None:
            if self._address.host:
                _check_answer(self._address)
            import ray

            if not ray.is_initialized():
                with own_signals(), without_native_words(), warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # it forks beside JAX's threads, but only to start other programs
                    self._connect(ray)
                self._own = True
            self._ray = ray
        return self._ray

    def _connect(self, ray: Any) -> None:
        quiet = {"logging_level": "error", "log_to_driver": False}
        with contextlib.suppress(AttributeError):
            ray._private.worker.print_to_stdstream = silent  # it prints the log of a machine that is gone
        if self._address.host:
            _within(CONNECT_SECONDS, lambda: ray.init(str(self._address), **quiet), self._address)
            return
        from wellfit.engine.devices import cores

        dataset = self._content[0]
        size = dataset.x_train.nbytes + dataset.x_test.nbytes + self._further + _STORE_BYTES
        for last in (False, True):  # on a very busy machine, its parts may miss one another at first
            try:
                ray.init("local", num_cpus=cores(), include_dashboard=False, object_store_memory=size, **quiet)
                return
            except Exception as error:
                ray.shutdown()
                if last:
                    raise WellfitError(f"--on ray: Ray did not start here: {_first_line(error)}") from error

    def close(self) -> None:
        """End the connection, and a Ray that was started here."""
        if self._ray is not None and self._own:
            with own_signals():
                self._ray.shutdown()
        self._ray = None


def _check_answer(address: Address) -> None:
    """Refuse an address where nothing listens, which Ray itself would try for a long time."""
    try:
        socket.create_connection((address.host.strip("[]"), address.port), ANSWER_SECONDS).close()
    except OSError as error:
        raise WellfitError(_no_answer(address, error.strerror or f"nothing within {ANSWER_SECONDS:.0f} s")) from None


def _no_answer(address: Address, why: str) -> str:
    port = 10001 if address.client else 6379
    return (
        f"--on {address}: no Ray answers there ({why}); on the cluster's head, ray status says whether it runs; its "
        f"port is usually {port}"
    )


def _within(seconds: float, connect: Any, address: Address) -> None:
    """Connect, or give up after some seconds; what listens there may be something other than Ray."""
    failed: list[BaseException] = []

    def attempt() -> None:
        try:
            connect()
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise WellfitError(_no_answer(address, f"nothing within {seconds:.0f} s"))
    if failed:
        text = " ".join(str(failed[0]).split())
        if "ersion" in text and "Python" in text:
            raise WellfitError(f"--on {address}: other versions there: {text[:300]}; install the same ones") from None
        raise WellfitError(_no_answer(address, _first_line(failed[0]))) from None


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1][:200] if lines else type(error).__name__


# --- On the workers ---------------------------------------------------------------------------------------------------


def _describe(devices: int, platform: str) -> Node:
    from wellfit.study.executors.worker import describe

    return describe(devices, platform)


def _train(
    job: Job,
    data: tuple[Dataset, DataSpec],
    mailbox: Any,
    ticket: int,
    interval: float,
    setup: tuple[int, str, dict[str, str]],
) -> Trained | Failed:
    from wellfit.study.executors import worker

    count, kind, wanted = setup
    worker.start(count, kind)
    worker.check(wanted, kernels=job.population.program.kernels)  # this machine may have joined after the first check

    def tell(report: Reported) -> None:
        mailbox.put.remote(ticket, pickle.dumps(report))

    return worker.train(job, *data, tell, interval)


def _mailbox() -> type:
    """The class of the process that keeps reports until the driver asks; sent whole, so that it imports nothing."""

    class Mailbox:
        def __init__(self) -> None:
            self._reports: list[tuple[int, bytes]] = []

        def put(self, ticket: int, report: bytes) -> None:
            self._reports.append((ticket, report))

        def take(self) -> list[tuple[int, bytes]]:
            reports, self._reports = self._reports, []
            return reports

    return Mailbox
