"""Answers that are none, waits that are too long, messages that would write to the terminal."""

import email.utils
import time
from pathlib import Path

import pytest

from tests.support.command import run
from tests.unit.cli.strange_server import UNIT, Reply, answering

ESCAPES = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202egpj.\u2066\nforged: line\r"
BAD_VECTORS = {
    "missing": {},
    "null": {"result": None},
    "text": {"result": "1,2"},
    "short": {"result": UNIT[:511]},
    "long": {"result": [*UNIT, 0.0]},
    "empty": {"result": []},
    "nested": {"result": [UNIT]},
    "strings": {"result": ["1.0"] * 512},
    "booleans": {"result": [True, *[False] * 511]},
    "not-unit": {"result": [0.5] * 512},
    "zeros": {"result": [0.0] * 512},
    "huge": {"result": [10**400, *[0] * 511]},
    "nan": b'{"result": [' + b", ".join([b"NaN"] * 512) + b"]}",
    "infinite": b'{"result": [' + b", ".join([b"1e999"] * 512) + b"]}",
}
NO_ANSWERS = {
    "list": [1, 2],
    "number": b"7",
    "null": b"null",
    "html": b"<html><h1>Welcome</h1></html>",
    "empty": b"",
    "deep": b"[" * 200_000,
    "digits": b'{"similarity": ' + b"9" * 5000 + b"}",
    "latin": b'{"similarity": "\xe9"}',
}
BAD_SCORES = {
    "missing": {},
    "text": {"similarity": "0.5"},
    "boolean": {"similarity": True},
    "negative": {"similarity": -0.1},
    "large": {"similarity": 1.5},
    "nan": b'{"similarity": NaN}',
    "list": {"similarity": [0.5]},
}


def told(stderr: str) -> None:
    assert stderr.strip()
    assert "Traceback" not in stderr


@pytest.mark.parametrize("answer", [*BAD_VECTORS.values(), *NO_ANSWERS.values()])
def test_a_200_that_holds_no_vector_is_told_in_a_sentence(folder: Path, answer: object) -> None:
    with answering(Reply(answer)) as server:
        done = run("embed", folder / "cat.jpg", "--url", server.url)
    assert done.exit_code == 2, done.output
    assert isinstance(done.exception, SystemExit), done.exception
    assert "The answer" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("answer", [*BAD_SCORES.values(), *NO_ANSWERS.values()])
def test_a_200_that_holds_no_similarity_is_told_in_a_sentence(folder: Path, answer: object) -> None:
    with answering(Reply(answer)) as server:
        done = run("compare", folder / "cat.jpg", folder / "cat.jpg", "--url", server.url)
    assert done.exit_code == 2, done.output
    assert isinstance(done.exception, SystemExit), done.exception
    assert "The answer" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("status", [301, 400, 404, 500, 502])
@pytest.mark.parametrize("answer", [[1], {"code": 7}, {"message": ["x"]}, b"<html>", b"null"], ids=str)
def test_an_error_of_another_shape_is_told_in_a_sentence(folder: Path, answer: object, status: int) -> None:
    with answering(Reply(answer, status)) as server:
        done = run("embed", folder / "cat.jpg", "--url", server.url)
    assert done.exit_code == 2
    assert isinstance(done.exception, SystemExit), done.exception
    assert f"status {status}" in done.stderr


def test_an_answer_without_end_is_left(folder: Path) -> None:
    with answering(Reply(b'{"result": "' + b"x" * 4_000_000 + b'"}')) as server:
        done = run("embed", folder / "cat.jpg", "--url", server.url)
    assert done.exit_code == 2
    assert "does not end" in done.stderr


def test_one_bad_answer_does_not_end_a_run_that_had_good_ones(folder: Path) -> None:
    good = Reply({"result": UNIT})
    with answering(good, Reply(b"<html>", 502), good) as server:
        done = run("embed", folder, "--url", server.url, "--jobs", 1)
    assert done.exit_code == 1, done.stderr
    assert len(done.stdout.splitlines()) == 2
    assert "coffee.bmp: The answer (status 502) is not JSON" in done.stderr


def test_a_refusal_in_the_middle_does_not_end_the_run(folder: Path) -> None:
    good = Reply({"result": UNIT})
    with answering(good, Reply({"message": "Forbidden"}, 403), good) as server:
        done = run("embed", folder, "--url", server.url, "--jobs", 1)
    assert done.exit_code == 1, done.stderr
    assert len(done.stdout.splitlines()) == 2
    assert "coffee.bmp: 403: Forbidden" in done.stderr


def test_what_a_server_says_reaches_the_terminal_as_text(folder: Path) -> None:
    error = {"code": f"Bad{ESCAPES}", "message": f"no{ESCAPES}" + "x" * 100_000, "requestId": "1"}
    with answering(Reply(error, 400)) as server:
        done = run("embed", folder / "cat.jpg", "--url", server.url)
    assert done.exit_code == 1
    (line,) = done.stderr.splitlines()
    assert line.isprintable()
    assert len(line) < 3000
    assert r"\x1b]0;owned\x07" in line
    assert r"\u202e" in line


def test_the_model_that_a_server_names_stays_within_json(folder: Path) -> None:
    with answering(Reply({"result": UNIT}, headers={"X-Model": "m\x1b[2J"})) as server:
        done = run("embed", folder / "cat.jpg", "--url", server.url)
    assert done.stdout.strip().isprintable()


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("-5", 0, 8),
        ("31536000", 30, 30),
        ("99999999999999999999999", 30, 30),
        ("5", 5, 5),
        ("0", 0, 0),
        ("soon", 0, 8),
        ("nan", 0, 8),
        ("inf", 0, 8),
        ("1e9", 0, 8),
        ("\u0663", 0, 8),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0, 0),
        ("Sun, 06 Nov 9999 08:49:37 GMT", 30, 30),
        pytest.param(email.utils.formatdate(time.time() + 864_000, usegmt=True), 30, 30, id="in ten days"),
        ("Sun, 99 Nov 1994 08:49:37 GMT", 0, 8),
        ("", 0, 8),
        (None, 0, 8),
    ],
)
def test_no_server_makes_us_wait_for_long(header: str | None, least: float, most: float) -> None:
    from image_similarity.cli.retrying import waiting_time

    for attempt in (1, 2, 3):
        assert least <= waiting_time(header, attempt) <= most


@pytest.mark.slow
def test_a_busy_server_is_tried_again(folder: Path) -> None:
    busy = Reply({"code": "Unavailable", "message": "busy"}, 503, {"Retry-After": "-5"})
    past = Reply({"message": "Too Many"}, 429, {"Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT"})
    with answering(busy, past, Reply({"similarity": 0.25})) as server:
        done = run("compare", folder / "cat.jpg", folder / "cat.jpg", "--url", server.url)
    assert (done.exit_code, done.stdout) == (0, "0.250000\n"), done.stderr


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:9", "nonsense://x", "http://"])
def test_a_proxy_of_the_environment_is_not_for_this_machine(folder: Path, proxy: str) -> None:
    names = dict.fromkeys(("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"), proxy)
    with answering(Reply({"similarity": 0.25})) as server:
        for host in ("127.0.0.1", "localhost"):
            url = server.url.replace("127.0.0.1", host)
            done = run("compare", folder / "cat.jpg", folder / "cat.jpg", "--url", url, **names)
            assert (done.exit_code, done.stdout) == (0, "0.250000\n"), done.stderr


def test_a_proxy_that_is_none_is_told_in_a_sentence(folder: Path) -> None:
    pair = ("compare", folder / "cat.jpg", folder / "cat.jpg", "--url", "http://192.0.2.1/")
    done = run(*pair, HTTP_PROXY="nonsense://x", http_proxy="nonsense://x")
    assert done.exit_code == 2
    assert "proxy can't be used" in done.stderr
