"""Throughput and latency of the serving processes: all started, loaded in turns, on every core."""

import base64
import http.client
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from bench.measure import load
from bench.measure.inputs import cases
from bench.measure.paths import (
    CACHE,
    CHECKPOINT,
    EMBEDDED,
    EXACT,
    EXPORT_PYTHON,
    INFINITY,
    INFINITY_MODEL,
    INT8,
    PYTHON,
    ROOT,
)
from bench.measure.results import Served, Servers

START_SECONDS = 180
OURS = (("exact", 18091, EXACT), ("int8", 18092, INT8), ("embedded", 18093, EMBEDDED))
"""Name, port and artifact."""


@dataclass(frozen=True)
class Server:
    """How to start one serving process and how to ask it."""

    name: str
    port: int
    command: list[str]
    settings: dict[str, str]
    body: bytes
    path: str = "/invocations"
    health: str = "/ping"


def servers(*, infinity: bool) -> list[Server]:
    """Ours with three models, the baseline under gunicorn, and infinity-emb where it is installed."""
    case = cases()[0]
    body = case.body().encode()
    chosen = [ours(name, port, model, body) for name, port, model in OURS]
    chosen.append(_hand_written(body))
    return [*chosen, _infinity(case.file)] if infinity else chosen


def ours(name: str, port: int, model: Path, body: bytes) -> Server:
    """Our serving process with that artifact."""
    settings = {"MODEL_DIR": str(model), "SAGEMAKER_BIND_TO_PORT": str(port)}
    return Server(name, port, [str(PYTHON), "-m", "sagemaker.server"], settings, body)


def _hand_written(body: bytes) -> Server:
    gunicorn = [str(EXPORT_PYTHON), "-m", "gunicorn", "--bind", "127.0.0.1:18094", "--timeout", "180"]
    command = [*gunicorn, "--threads", "16", "bench.baseline.server:app"]
    settings = {"CHECKPOINT": str(CHECKPOINT), "THREADS": str(os.cpu_count())}
    return Server("hand-written", 18094, command, settings, body)


def _infinity(picture: bytes) -> Server:
    uri = f"data:image/jpeg;base64,{base64.b64encode(picture).decode()}"
    body = json.dumps({"model": "clip", "input": [uri], "modality": "image"}).encode()
    command = [str(INFINITY / "infinity_emb"), "v2", "--model-id", str(INFINITY_MODEL)]
    command += ["--served-model-name", "clip", "--engine", "torch", "--device", "cpu"]
    command += ["--host", "127.0.0.1", "--port", "18095", "--no-bettertransformer", "--no-model-warmup"]
    settings = {"HF_HUB_OFFLINE": "1", "DO_NOT_TRACK": "1"}
    return Server("infinity-emb", 18095, command, settings, body, "/embeddings", "/health")


def measure(chosen: Sequence[Server], clients: Sequence[int], rounds: int, seconds: float) -> Servers:
    """Per server and number of clients: means over the rounds, which go in turns."""
    rows: dict[str, dict[int, list[Served]]] = {s.name: {c: [] for c in clients} for s in chosen}
    with running(chosen):
        for server in chosen:
            load.run(server.port, server.path, server.body, 2, 1.0)
        for count in clients:
            for _ in range(rounds):
                for server in chosen:
                    rows[server.name][count].append(_loaded(server, count, seconds))
    return {
        name: {count: _mean(several) for count, several in by_clients.items()}
        for name, by_clients in rows.items()
    }


def _mean(several: list[Served]) -> Served:
    """Of every figure; those of /ping are of all rounds or of none."""

    def of(name: str) -> float:
        return mean(float(getattr(one, name)) for one in several)

    always = {name: of(name) for name in ("clients", "rps", "p50", "p90", "p99", "refused")}
    sometimes = ("ping_max", "load_cpu")
    known = {name: of(name) for name in sometimes if all(getattr(one, name) is not None for one in several)}
    return Served(**always, **known)


def _loaded(server: Server, clients: int, seconds: float) -> Served:
    if server.health != "/ping":
        return load.run(server.port, server.path, server.body, clients, seconds).served(clients)
    with load.pinging(server.port) as pings:
        answers = load.run(server.port, server.path, server.body, clients, seconds)
    return answers.served(clients, max(pings))


@contextmanager
def running(chosen: Sequence[Server]) -> Iterator[None]:
    """All of them started and healthy; their process groups ended at the end."""
    started = []
    try:
        for server in chosen:
            environment = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS")}
            environment |= {"PYTHONPATH": str(ROOT), **server.settings}
            CACHE.mkdir(parents=True, exist_ok=True)
            with (CACHE / f"{server.name}.log").open("wb") as log:
                started.append(
                    subprocess.Popen(
                        server.command,
                        env=environment,
                        cwd=ROOT,
                        stdout=log,
                        stderr=log,
                        start_new_session=True,
                    )
                )
            _wait(server, started[-1])
        yield
    finally:
        for process in started:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=30)


def _wait(server: Server, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(
                f"{server.name} ended with {process.returncode}: see .cache/bench/{server.name}.log"
            )
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
        try:
            connection.request("GET", server.health)
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.2)
        finally:
            connection.close()
    raise RuntimeError(f"{server.name} is not up after {START_SECONDS} s: see .cache/bench/{server.name}.log")
