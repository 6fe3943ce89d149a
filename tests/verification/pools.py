"""Backends at work: a pool for each code and environment, kept for all stacks that want the same."""

import hashlib
import json
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from local.backends.endpoints import EndpointSpec, LocalEndpoints
from local.backends.functions import FunctionSpec, LocalFunctions

ROOT = Path(__file__).resolve().parents[2]
KEPT = 5
PROBE = json.dumps(
    {
        "resource": "/image-similarity",
        "path": "/image-similarity",
        "httpMethod": "POST",
        "headers": {},
        "multiValueHeaders": {},
        "pathParameters": None,
        "requestContext": {"requestId": "probe", "path": "/", "stage": "prod"},
        "body": "{}",
        "isBase64Encoded": False,
    }
).encode()


@dataclass(frozen=True)
class Code:
    """What a function runs: its folder, the handler there, how many at once, and whether it answers calls."""

    directory: Path
    handler: str
    workers: int
    answers: bool = True


@dataclass
class Pool:
    """A function's or an endpoint's processes, what their start took, and what they have written."""

    backend: LocalFunctions | LocalEndpoints
    name: str
    logs: tuple[Path, ...]
    start_milliseconds: float
    read: dict[Path, int] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """What was written since the last time, line by line."""
        new: list[str] = []
        for log in self.logs:
            content = log.read_bytes()[self.read.get(log, 0) :]
            whole = content[: content.rfind(b"\n") + 1]
            self.read[log] = self.read.get(log, 0) + len(whole)
            new += whole.decode("utf-8", "replace").splitlines()
        return new


class Pools:
    """Starts what is not there yet, and ends what was not used for longest."""

    def __init__(self, binary: Path | None, environment: Mapping[str, str], logs: Path) -> None:
        self._binary, self._environment, self._logs = binary, environment, logs
        self._pools: OrderedDict[str, Pool] = OrderedDict()
        self._lock = Lock()

    def function(self, code: Code, environment: Mapping[str, str], memory: int, timeout: int) -> Pool:
        """A function's pool, the workers of one that answers calls initialized."""
        key = _key(str(code.directory), code.handler, environment, memory, code.workers, timeout)

        def start() -> Pool:
            functions = LocalFunctions(self._binary, self._environment, self._logs)
            spec = FunctionSpec(
                key, key, code.directory, code.handler, environment, timeout, memory, code.workers
            )
            began = time.perf_counter()
            functions.start(spec)
            if code.answers:
                functions.warm(key, PROBE)
            took = (time.perf_counter() - began) * 1000
            logs = tuple(self._logs / f"{key}-{number}.log" for number in range(code.workers))
            return Pool(functions, key, logs, took)

        return self._pool(key, start)

    def endpoint(self, environment: Mapping[str, str]) -> Pool:
        """An endpoint's pool."""
        key = _key("sagemaker", environment)

        def start() -> Pool:
            endpoints = LocalEndpoints(ROOT, self._environment, self._logs)
            began = time.perf_counter()
            endpoints.start(EndpointSpec(key, environment))
            took = (time.perf_counter() - began) * 1000
            return Pool(endpoints, key, (self._logs / f"{key}.log",), took)

        return self._pool(key, start)

    def _pool(self, key: str, start: Callable[[], Pool]) -> Pool:
        with self._lock:
            if key not in self._pools:
                while len(self._pools) >= KEPT:
                    self._pools.popitem(last=False)[1].backend.stop()
                self._pools[key] = start()
                self._pools[key].lines()  # of the start
            self._pools.move_to_end(key)
            return self._pools[key]

    def stop(self) -> None:
        """End every process."""
        for pool in self._pools.values():
            pool.backend.stop()
        self._pools.clear()


def _key(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]
