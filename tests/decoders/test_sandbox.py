"""What a decoder can't do, tried by a decoder; and what is left of it where the kernel grants less."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from image_similarity.inference.decoders import seccomp, worker
from image_similarity.inference.decoders.processes import DecoderProcesses
from image_similarity.inference.errors import InvalidImage
from tests.decoders.hostile import hostile
from tests.decoders.process_tree import children, running, wait_until
from tests.decoders.test_processes import RIGHT, UNDECODABLE, ask, assert_right, pid

ROOT = Path(__file__).resolve().parents[2]
SECRET = "a-secret-that-nothing-but-the-environment-holds"
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="other processes' memory is root's to read")
TABLES = Path("/usr/include/asm-generic/unistd.h"), Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")


class Standalone:
    """A service whose decoders were forked, as it says one line after the other."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.logged: list[str] = []

    def begin(self, deed: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(f"{deed}\n")
        self.process.stdin.flush()
        assert self.answer() == {"begun": deed}

    def answer(self) -> dict[str, Any]:
        assert self.process.stdout
        while not (line := self.process.stdout.readline()).startswith("{"):
            assert line, "the service ended"
            self.logged.append(line)
        answer: dict[str, Any] = json.loads(line)
        return answer

    def ask(self, deed: str) -> dict[str, Any]:
        self.begin(deed)
        return self.answer()

    def assert_right(self) -> None:
        assert self.ask("good") == {"sum": int(RIGHT.sum())}

    @property
    def zygote(self) -> int:
        (only,) = children(self.process.pid)
        return only.pid

    @property
    def decoder(self) -> int:
        (only,) = children(self.zygote)
        return only.pid


@contextmanager
def standalone(
    *options: str, environ: Mapping[str, str] | None = None, prefix: tuple[str, ...] = (), **limits: float
) -> Iterator[Standalone]:
    command = [
        sys.executable,
        "-m",
        "tests.decoders.standalone",
        hostile(**limits).to_json(),
        *options,
    ]
    with subprocess.Popen(
        [*prefix, *command],
        cwd=ROOT,
        env={**os.environ, **(environ or {})},
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        try:
            yield Standalone(process)
        finally:
            process.kill()


@pytest.mark.parametrize("deed", ["socket", "fork", "exec", "ptrace", "kill"])
def test_system_calls_that_reach_the_world_end_the_decoder(
    decoders: DecoderProcesses, deed: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(InvalidImage) as refusal:
        ask(decoders, f"do: {deed}".encode())
    assert refusal.value.message == UNDECODABLE
    assert "SIGSYS" in caplog.text
    assert_right(decoders)


@pytest.mark.parametrize("deed", ["open", "code", "more address space"])
def test_system_calls_that_a_library_may_try_fail(decoders: DecoderProcesses, deed: str) -> None:
    with pytest.raises(InvalidImage, match=r"refused with (Operation not permitted|not allowed)"):
        ask(decoders, f"do: {deed}".encode())


def test_a_decoder_has_its_pipes_and_nothing_else(decoders: DecoderProcesses) -> None:
    folder = Path(f"/proc/{pid(decoders)}/fd")
    if os.access(folder, os.R_OK):
        leads = {int(entry.name): str(entry.readlink()).partition(":")[0] for entry in folder.iterdir()}
        pipes = {worker.REQUESTS: "pipe", worker.ANSWERS: "pipe"}
        assert leads == {0: "/dev/null", 1: "/dev/null", 2: "/dev/null", **pipes}


def test_a_decoder_is_nobody_and_has_no_environment(decoders: DecoderProcesses) -> None:
    user = 65534 if os.geteuid() == 0 else os.geteuid()
    status = Path(f"/proc/{pid(decoders)}/status").read_text()
    assert re.search(r"^Uid:(.*)$", status, re.MULTILINE)[1].split() == [str(user)] * 4  # type: ignore[index]
    with pytest.raises(InvalidImage, match=r"^{}$"):
        ask(decoders, b"do: environment")


@AS_ROOT
def test_the_environment_is_nowhere_in_the_memory_of_zygote_and_decoder() -> None:
    with standalone(environ={"AWS_SESSION_TOKEN": SECRET}) as service:
        service.assert_right()
        assert holds(service.process.pid, SECRET)  # or the search finds nothing
        assert not holds(service.zygote, SECRET)
        assert not holds(service.decoder, SECRET)


def holds(process: int, text: str) -> bool:
    """Whether a process has the text anywhere in its writable memory."""
    maps = Path(f"/proc/{process}/maps").read_text().splitlines()
    ranges = [line.split()[0].split("-") for line in maps if line.split()[1].startswith("rw")]
    with Path(f"/proc/{process}/mem").open("rb", buffering=0) as memory:
        for start, end in ranges:
            memory.seek(int(start, 16))
            if text.encode() in memory.read(int(end, 16) - int(start, 16)):
                return True
    return False


def test_the_kernel_short_of_memory_ends_decoders_first(decoders: DecoderProcesses) -> None:
    assert Path(f"/proc/{pid(decoders)}/oom_score_adj").read_text() == "1000\n"


def test_where_prctl_is_forbidden_the_limits_hold_and_the_log_says_what_is_missing() -> None:
    with standalone("without-prctl") as service:
        service.assert_right()
        (said,) = service.logged
        assert said.startswith("decoder processes run without: ")
        for missing in ("parent-death signal", "dumpable", "system-call filter (Operation not permitted)"):
            assert missing in said
        assert "limit" not in said
        assert "refused with Too many open files" in service.ask("open")["message"]
        assert "refused with Too many open files" in service.ask("socket")["message"]
        assert "refused with" in service.ask("fork")["message"]
        assert "more than 2 seconds" in service.ask("loop in C")["message"]
        assert "more than 384 MB" in service.ask("eat memory in Python")["message"]
        service.assert_right()
        assert len(service.logged) == 1
        below = [service.zygote, service.decoder]
        service.process.kill()
        wait_until(lambda: not any(map(running, below)))


def test_a_crash_is_told_as_one_where_the_service_has_handlers_for_its_own() -> None:
    """Python's faulthandler can't undo itself in a confined process: the crash would come again for ever."""
    with standalone(environ={"PYTHONFAULTHANDLER": "1"}) as service:
        for deed in ("crash", "abort"):
            assert service.ask(deed)["message"] == UNDECODABLE
        service.assert_right()


def test_the_log_says_nothing_where_all_is_granted() -> None:
    with standalone() as service:
        service.assert_right()
        assert service.logged == []


@pytest.mark.parametrize("deed", ["good", "wait for ever", "loop without a timer"])
def test_nothing_outlives_the_service(deed: str) -> None:
    with standalone(processor_seconds=60.0, clock_seconds=60.0) as service:
        service.assert_right()
        below = [service.zygote, service.decoder]
        service.begin(deed)
        service.process.send_signal(signal.SIGKILL)
        wait_until(lambda: not any(map(running, below)))


def test_a_service_that_ends_by_itself_leaves_nothing_to_anybody() -> None:
    with standalone() as service:
        service.assert_right()
        below = [service.zygote, service.decoder]
        assert service.process.stdin
        service.process.stdin.close()
        assert service.process.wait(30) == 0
        for process in below:
            with pytest.raises(ProcessLookupError):
                os.kill(process, 0)


@pytest.mark.parametrize(("column", "table"), [(1, TABLES[0]), (0, TABLES[1])])
def test_the_numbers_of_system_calls_are_the_system_s(column: int, table: Path) -> None:
    if not table.exists():
        pytest.skip("no headers here")
    defined = dict(re.findall(r"#define __NR(?:3264)?_(\w+) (\d+)", table.read_text()))
    for name, numbers in {**seccomp.ALLOWED, **seccomp.ALLOWED_WITHOUT_CODE, **seccomp.DEADLY}.items():
        number = numbers[column]
        assert str(number) == defined.get(name, "None"), name


def test_every_processor_has_a_program() -> None:
    for machine in seccomp.AUDIT:
        code = seccomp.program(machine)
        assert len(code) % 8 == 0
        assert len(code) // 8 < 256
