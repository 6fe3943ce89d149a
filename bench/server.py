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

from bench import load
from bench.inputs import cases
from bench.paths import (
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

START_SECONDS = 180


@dataclass(frozen=True)
class Server:
    """How to start one serving process and how to ask it."""

    name: str
    port: int
    command: list[str]
    settings: dict[str, str]
    path: str
    body: bytes
    health: str = "/ping"


def servers(*, infinity: bool) -> list[Server]:
    """Ours with three models, the baseline under gunicorn, and infinity-emb where it is installed."""
    picture = base64.b64encode(cases()[0].file).decode()
    body = cases()[0].body().encode()
    ours = [str(PYTHON), "-m", "sagemaker.server"]
    found = [
        Server(
            name,
            port,
            ours,
            {"MODEL_DIR": str(model), "SAGEMAKER_BIND_TO_PORT": str(port)},
            "/invocations",
            body,
        )
        for name, port, model in (
            ("exact", 18091, EXACT),
            ("int8", 18092, INT8),
            ("embedded", 18093, EMBEDDED),
        )
    ]
    gunicorn = [str(EXPORT_PYTHON), "-m", "gunicorn", "--bind", "127.0.0.1:18094", "--timeout", "180"]
    gunicorn += ["--threads", "16", "bench.baseline.server:app"]
    found.append(
        Server(
            "hand-written",
            18094,
            gunicorn,
            {"CHECKPOINT": str(CHECKPOINT), "THREADS": str(os.cpu_count())},
            "/invocations",
            body,
        )
    )
    if infinity:
        asked = {"model": "clip", "input": [f"data:image/jpeg;base64,{picture}"], "modality": "image"}
        command = [str(INFINITY / "infinity_emb"), "v2", "--model-id", str(INFINITY_MODEL), "--port", "18095"]
        command += [
            "--served-model-name",
            "clip",
            "--engine",
            "torch",
            "--device",
            "cpu",
            "--host",
            "127.0.0.1",
        ]
        command += ["--no-bettertransformer", "--no-model-warmup"]
        settings = {"HF_HUB_OFFLINE": "1", "DO_NOT_TRACK": "1"}
        found.append(
            Server(
                "infinity-emb", 18095, command, settings, "/embeddings", json.dumps(asked).encode(), "/health"
            )
        )
    return found


def measure(
    chosen: Sequence[Server], clients: Sequence[int], rounds: int, seconds: float
) -> dict[str, dict[str, dict[str, float]]]:
    """Per server and number of clients: means over the rounds, and the slowest /ping meanwhile."""
    found: dict[str, dict[int, list[dict[str, float]]]] = {s.name: {c: [] for c in clients} for s in chosen}
    with running(chosen):
        for server in chosen:
            load.run(server.port, server.path, server.body, 2, 1.0)
        for count in clients:
            for _ in range(rounds):
                for server in chosen:
                    found[server.name][count].append(_loaded(server, count, seconds))
    return {
        name: {
            str(count): {key: mean(one[key] for one in several) for key in several[0]}
            for count, several in by_clients.items()
        }
        for name, by_clients in found.items()
    }


def _loaded(server: Server, clients: int, seconds: float) -> dict[str, float]:
    if server.health != "/ping":
        return load.run(server.port, server.path, server.body, clients, seconds).summary()
    with load.pinging(server.port) as pings:
        summary = load.run(server.port, server.path, server.body, clients, seconds).summary()
    summary["ping_max"] = max(pings)
    return summary


@contextmanager
def running(chosen: Sequence[Server]) -> Iterator[None]:
    """All of them started and healthy; their process groups ended at the end."""
    started = []
    try:
        for server in chosen:
            environment = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS")}
            environment |= {"PYTHONPATH": str(ROOT), **server.settings}
            log = (Path(ROOT) / ".cache" / "bench" / f"{server.name}.log").open("wb")
            started.append(
                subprocess.Popen(
                    server.command, env=environment, cwd=ROOT, stdout=log, stderr=log, start_new_session=True
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
