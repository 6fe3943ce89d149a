"""Whatever becomes of a decoder: this request is answered, in the right words, and the next one is right."""

import logging
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import numpy as np
import pytest
from numpy.typing import NDArray

from image_similarity.inference import image
from image_similarity.inference.decoders import processes
from image_similarity.inference.decoders.limits import Limits
from image_similarity.inference.decoders.processes import DecoderProcesses
from image_similarity.inference.errors import ApiError, ImageTooLarge, InvalidImage, Unavailable
from tests.decoders.hostile import hostile
from tests.decoders.process_tree import children, descendants, running, wait_until
from tests.support import files
from tests.support.files import PREPROCESSING
from tests.unit.inference.image.test_refusals import PHOTO

GOOD = files.saved(PHOTO, "JPEG")
RIGHT = image.decode(GOOD, preprocessing=PREPROCESSING)
ADVICE = "save it again, as a baseline JPEG or a PNG."
OVERSPENT = f"decoding the image takes more than 2 seconds of processor time; {ADVICE}"
TOO_MUCH_MEMORY = f"decoding the image takes more than 384 MB of memory; {ADVICE}"
UNDECODABLE = f"the image can't be decoded; {ADVICE}"


def ask(decoders: DecoderProcesses, data: bytes) -> NDArray[np.uint8]:
    return decoders.decode(data, preprocessing=PREPROCESSING)


def assert_right(decoders: DecoderProcesses) -> None:
    assert np.array_equal(ask(decoders, GOOD), RIGHT)


def pid(decoders: DecoderProcesses) -> int:
    """The process of the one decoder, which is idle."""
    assert_right(decoders)
    (idle,) = decoders.idle
    return idle.pid


@pytest.mark.parametrize(
    ("deed", "message"),
    [
        ("loop in Python", OVERSPENT),
        ("loop in C", OVERSPENT),
        ("loop without a timer", OVERSPENT),
        ("eat memory in Python", TOO_MUCH_MEMORY),
        ("run out of memory in Pillow", TOO_MUCH_MEMORY),
    ],
)
def test_what_is_over_its_budget_is_refused_with_that(
    decoders: DecoderProcesses, deed: str, message: str
) -> None:
    with pytest.raises(InvalidImage) as refusal:
        ask(decoders, f"do: {deed}".encode())
    assert refusal.value.message == message
    assert_right(decoders)


@pytest.mark.parametrize(
    "deed",
    [
        *("eat memory in C", "crash", "abort", "end quietly", "close the pipe and loop"),
        *("say nonsense", "say too many pixels", "say too few pixels", "say a huge text"),
        *("say without end", "refuse with no JSON", "refuse with another code"),
        *("refuse with controls", "refuse with more", "refuse with a list"),
        *("refuse with a list for a code", "refuse deeply"),
    ],
)
def test_a_codec_that_breaks_is_a_refusal_and_a_logged_error(
    decoders: DecoderProcesses, deed: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(InvalidImage) as refusal:
        ask(decoders, f"do: {deed}".encode())
    assert refusal.value.message == UNDECODABLE
    assert [record.levelno for record in caplog.records if record.levelno >= logging.ERROR] == [logging.ERROR]
    assert "do: " not in caplog.text
    assert_right(decoders)


@pytest.mark.parametrize("deed", ["wait for ever", "say half a head", "say half the pixels"])
def test_a_decoder_that_waits_is_ended_by_the_clock(deed: str) -> None:
    decoders = DecoderProcesses(hostile(clock_seconds=3.0), size=1)
    with pytest.raises(Unavailable, match="decoding was interrupted"):
        ask(decoders, f"do: {deed}".encode())
    assert_right(decoders)
    decoders.close()


def test_an_answer_more_than_due_is_never_taken_for_the_next_request_s(
    decoders: DecoderProcesses, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(InvalidImage):
        ask(decoders, b"do: answer twice")
    assert_right(decoders)
    assert_right(decoders)


@pytest.mark.parametrize("deed", ["raise a defect", "import late"])
def test_a_defect_in_a_decoder_is_a_defect_here(decoders: DecoderProcesses, deed: str) -> None:
    with pytest.raises(
        RuntimeError, match=r"decoding failed: (Runtime|LateImport)Error.* in .*py:\d+"
    ) as error:
        ask(decoders, f"do: {deed}".encode())
    assert "secret" not in str(error.value)
    assert_right(decoders)


@pytest.mark.parametrize("kind", [InvalidImage, ImageTooLarge])
def test_refusals_come_back_as_they_were_raised(decoders: DecoderProcesses, kind: type[ApiError]) -> None:
    data = {InvalidImage: b"GIF89a", ImageTooLarge: files.png(np.zeros((1, 4097), np.uint8), files.GREY)}[
        kind
    ]
    with pytest.raises(kind) as here:
        image.decode(data, preprocessing=PREPROCESSING)
    with pytest.raises(kind) as there:
        ask(decoders, data)
    assert str(there.value) == str(here.value)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_decoder_killed_between_requests_is_not_noticed(decoders: DecoderProcesses, number: int) -> None:
    target = pid(decoders)
    os.kill(target, number)
    wait_until(lambda: not running(target))
    assert_right(decoders)


def test_a_decoder_killed_in_a_request_is_replaced_within_it() -> None:
    decoders = DecoderProcesses(hostile(processor_seconds=60.0), size=1)
    target = pid(decoders)
    outcome: list[str] = []

    def work() -> None:
        try:
            ask(decoders, b"do: work for half a second")
        except InvalidImage as error:
            outcome.append(error.message)

    thread = threading.Thread(target=work)
    thread.start()
    while decoders.idle:
        time.sleep(0.001)
    os.kill(target, signal.SIGKILL)
    thread.join()
    assert outcome == ["None"]  # the work was done, by another
    assert pid(decoders) != target
    decoders.close()


def test_a_request_whose_decoders_are_killed_again_and_again_is_told_to_come_back(
    decoders: DecoderProcesses,
) -> None:
    stop, killed = threading.Event(), 0

    def kill() -> None:
        nonlocal killed
        while not stop.wait(0.01):
            for process in descendants(decoders.nursery.zygote_pid):
                with suppress(ProcessLookupError):  # it was listed, and has ended since
                    os.kill(process, signal.SIGKILL)
                    killed += 1

    thread = threading.Thread(target=kill)
    thread.start()
    with pytest.raises(Unavailable, match="decoding was interrupted"):
        ask(decoders, b"do: loop in C")
    stop.set()
    thread.join()
    assert killed >= processes.ATTEMPTS
    assert_right(decoders)


def test_no_zombie_stays_and_nothing_at_all_after_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("image_similarity.inference.decoders.nursery.CLOSE_SECONDS", 60.0)
    decoders = DecoderProcesses(hostile(), size=1)
    for deed in ("crash", "say nonsense", "end quietly", "raise a defect"):
        with pytest.raises((InvalidImage, RuntimeError)):
            ask(decoders, f"do: {deed}".encode())
    os.kill(pid(decoders), signal.SIGKILL)
    zygote = decoders.nursery.zygote_pid
    wait_until(lambda: not children(zygote))
    assert_right(decoders)
    (last,) = children(zygote)
    decoders.close()
    for process in (zygote, last.pid):
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_another_zygote_is_started_where_one_is_lost(
    number: int, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("image_similarity.inference.decoders.nursery.ZYGOTE_SECONDS", 10.0)
    decoders = DecoderProcesses(hostile(), size=1)
    child, lost = pid(decoders), decoders.nursery.zygote_pid
    os.kill(lost, number)
    os.kill(child, signal.SIGKILL)
    assert_right(decoders)
    assert decoders.nursery.zygote_pid != lost
    assert "the process that makes decoders is lost" in caplog.text
    with pytest.raises(InvalidImage, match="more than 2 seconds"):
        ask(decoders, b"do: loop in C")
    assert_right(decoders)
    with pytest.raises(ProcessLookupError):
        os.kill(lost, 0)
    decoders.close()


def test_a_zygote_that_answers_too_late_is_asked_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its late answer would be taken for the next one: a decoder of a number and a process that are not."""
    decoders = DecoderProcesses(hostile(), size=1)
    assert_right(decoders)
    late, child = decoders.nursery.zygote_pid, decoders.idle.pop()
    with monkeypatch.context() as patched:
        patched.setattr("image_similarity.inference.decoders.nursery.ZYGOTE_SECONDS", 0.5)
        os.kill(late, signal.SIGSTOP)
        assert decoders.nursery.end(child, kill=True).code is None
    os.kill(late, signal.SIGCONT)
    for _ in range(2):
        made = decoders.nursery.child()
        assert made.pid in descendants(os.getpid())
        assert made.first_words() == ""
        # Its pipes are closed, so that it may also end by itself; its zygote knows it either way.
        assert decoders.nursery.end(made, kill=True).code in {0, -signal.SIGKILL}
    assert_right(decoders)
    assert decoders.nursery.zygote_pid != late
    decoders.close()


def test_interrupts_and_ends_from_a_terminal_leave_decoders_alone(decoders: DecoderProcesses) -> None:
    child, zygote = pid(decoders), decoders.nursery.zygote_pid
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        for process in (child, zygote):
            os.kill(process, number)
    assert pid(decoders) == child
    assert decoders.nursery.zygote_pid == zygote


def test_many_threads_share_few_decoders() -> None:
    decoders = DecoderProcesses(hostile(), size=2)
    requests = [GOOD, b"do: crash", GOOD, b"do: say nonsense", GOOD, b"nothing"] * 4

    def outcome(data: bytes) -> bool:
        try:
            return np.array_equal(ask(decoders, data), RIGHT)
        except InvalidImage:
            return data != GOOD

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(outcome, requests))
    assert len(decoders.idle) <= 2
    decoders.close()


def test_a_file_of_20_mib_goes_through(decoders: DecoderProcesses) -> None:
    assert np.array_equal(ask(decoders, GOOD + bytes(20 * 1024**2)), RIGHT)


def test_where_there_are_no_decoder_processes_this_one_decodes(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    decoder = processes.start()
    assert "no decoder processes on darwin" in caplog.text
    assert np.array_equal(decoder.decode(GOOD, preprocessing=PREPROCESSING), RIGHT)


def test_limits_survive_the_command_line() -> None:
    limits = Limits(processor_seconds=0.5, function="a:b")
    assert Limits.from_json(limits.to_json()) == limits


def test_a_function_that_does_not_exist_is_said_at_the_first_image(capfd: pytest.CaptureFixture[str]) -> None:
    decoders = DecoderProcesses(Limits(function="image_similarity.inference.image:missing"), size=1)
    with pytest.raises(Exception, match=r"ended|broken|command"):
        ask(decoders, GOOD)
    assert "missing" in capfd.readouterr().err
    decoders.close()
