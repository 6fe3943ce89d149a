"""Servers that hang, break off, redirect or stay busy; addresses and credentials that are none."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from botocore.credentials import RefreshableCredentials
from botocore.exceptions import CredentialRetrievalError

from image_similarity.cli import exchange
from image_similarity.cli.http_target import TRIES, Signer
from image_similarity.cli.targets import Unreachable
from tests.support.command import run
from tests.unit.cli.strange_server import UNIT, Reply, answering

HEAD = b"HTTP/1.1 200 OK\r\nX-Model: m\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n"
HTML = {"Content-Type": "text/html; charset=utf-8", "X-Model": "m"}
PAGE = b"<!doctype html><title>Sign in</title>"
Speech = Callable[[socket.socket, threading.Event], None]


@contextmanager
def speaking(speech: Speech) -> Iterator[str]:
    """The URL of a server that reads a request's first bytes and then says anything."""
    over = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while not over.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                try:
                    speech(connection, over)
                except OSError:
                    continue  # the command has left

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/prod/image-similarity"
    finally:
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def says_nothing(_: socket.socket, over: threading.Event) -> None:
    over.wait(60)


def hangs_in_its_headers(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(HEAD)
    over.wait(60)


def hangs_in_its_answer(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(HEAD + b'\r\n{"similarity": 0.')
    over.wait(60)


def never_ends_its_headers(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(HEAD)
    while not over.wait(0.02):
        connection.sendall(b"X-More: 1\r\n")


def never_ends_its_answer(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(HEAD + b"\r\n")
    while not over.wait(0.02):
        connection.sendall(b" ")


def breaks_off(connection: socket.socket, _: threading.Event) -> None:
    connection.sendall(HEAD + b'\r\n{"similarity": 0.')


def leaves(_: socket.socket, __: threading.Event) -> None:
    """Without a word."""


def speaks_another_protocol(connection: socket.socket, _: threading.Event) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")


@pytest.mark.parametrize(
    ("speech", "sentence"),
    [
        (says_nothing, "sent nothing for"),
        (hangs_in_its_headers, "sent nothing for"),
        (hangs_in_its_answer, "sent nothing for"),
        (never_ends_its_headers, "does not end"),
        (never_ends_its_answer, "does not end"),
        (breaks_off, "broke off"),
        (leaves, "broke off"),
        (speaks_another_protocol, "broke off"),
    ],
)
def test_a_server_that_does_not_get_to_an_end_is_left_with_a_sentence(
    folder: Path, monkeypatch: pytest.MonkeyPatch, speech: Speech, sentence: str
) -> None:
    monkeypatch.setattr(exchange, "SILENCE_SECONDS", 0.3)
    monkeypatch.setattr(exchange, "DEADLINE_SECONDS", 1.0)
    with speaking(speech) as url:
        done = run("compare", folder / "cat.jpg", folder / "cat.jpg", "--url", url)
    assert (done.exit_code, done.stdout) == (2, ""), done.output
    assert isinstance(done.exception, SystemExit), done.exception
    assert sentence in done.stderr
    assert "ry again" in done.stderr


@pytest.mark.parametrize("status", [200, 403, 404, 502])
def test_a_page_in_the_place_of_an_answer_is_told_with_its_type(folder: Path, status: int) -> None:
    with answering(Reply(PAGE, status, HTML)) as server:
        done = run("embed", folder / "cat.jpg", "--url", server.url)
    assert (done.exit_code, done.stdout) == (2, ""), done.output
    if status == 403:
        assert "use --sign" in done.stderr
        return
    assert f"(status {status}) is not JSON but text/html" in done.stderr
    assert ("Something before the API sent it" in done.stderr) == (status == 502)


def test_a_redirect_is_told_and_not_followed(folder: Path) -> None:
    with answering(Reply({"similarity": 1})) as other:
        secret = other.url.replace("//", "//user:sesame@") + "?token=sesame"
        with answering(Reply(b"", 307, {"Location": secret})) as server:
            done = run("compare", folder / "cat.jpg", folder / "cat.jpg", "--url", server.url)
        assert other.bodies == []
    assert (done.exit_code, done.stdout) == (2, "")
    assert f"redirects to {other.url} (status 307)" in done.stderr
    assert "sesame" not in done.stderr


@pytest.mark.parametrize("status", [429, 503])
def test_an_api_that_stays_busy_is_not_asked_for_each_picture(folder: Path, status: int) -> None:
    busy = Reply({"code": "Unavailable", "message": "busy"}, status, {"Retry-After": "0"})
    with answering(busy) as server:
        server.batches = [busy]
        done = run("embed", folder, "--url", server.url, "--jobs", 1)
    assert (done.exit_code, done.stdout) == (2, "")
    assert (len(server.batch_bodies), server.bodies) == (TRIES, [])
    note, error = done.stderr.splitlines()
    assert note == f"The API is busy (status {status}): the next try is in 0 s."
    assert error == (
        f"error: The API stayed busy for {TRIES} tries (Unavailable: busy). "
        "Try again later, or with fewer --jobs."
    )


def test_an_api_that_gets_busy_on_the_way_fails_those_pictures_alone(folder: Path) -> None:
    busy = Reply({"message": "Too Many Requests"}, 429, {"Retry-After": "0"})
    good = Reply({"result": UNIT})
    with answering(good, *[busy] * TRIES, good) as server:
        done = run("embed", folder, "--url", server.url, "--jobs", 1)
    assert done.exit_code == 1, done.stderr
    assert len(done.stdout.splitlines()) == 2
    assert "coffee.bmp: The API stayed busy" in done.stderr


def test_an_api_that_goes_away_on_the_way_ends_the_run(tmp_path: Path, folder: Path) -> None:
    for number in range(9):
        (tmp_path / f"{number}.jpg").write_bytes((folder / "cat.jpg").read_bytes())
    with speaking(leaves) as gone:
        pass
    for command in ("embed", "pairs"):
        done = run(command, tmp_path, "--url", gone, "--jobs", 1)
        assert (done.exit_code, done.stdout) == (2, ""), done.output
        assert "can't be reached" in done.stderr


def test_models_that_change_on_the_way_are_not_compared(folder: Path) -> None:
    replies = [Reply({"result": UNIT}, headers={"X-Model": name}) for name in ("one\x1b[2J", "two")]
    with answering(*replies) as server:
        done = run("pairs", folder, "--url", server.url, "--jobs", 1)
    assert (done.exit_code, done.stdout) == (2, "")
    assert r"The model changed from one\x1b[2J to two on the way" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "url", ["", "nonsense", "ftp://127.0.0.1/x", "http://", "http://[::1", "http://a b/"]
)
def test_a_url_that_is_none_is_told(folder: Path, url: str) -> None:
    done = run("compare", folder / "cat.jpg", folder / "cat.jpg", "--url", url)
    assert (done.exit_code, done.stdout) == (2, ""), done.output
    assert isinstance(done.exception, SystemExit), done.exception
    assert done.stderr.startswith("error: ")


def test_a_password_in_the_url_is_sent_and_neither_told_nor_kept(folder: Path, own_index: Path) -> None:
    with answering(Reply({"result": UNIT})) as server:
        url = server.url.replace("//", "//user:sesame@")
        assert run("pairs", folder, "--url", url, "--threshold", 1).exit_code == 0
    done = run("pairs", folder, "--url", url)
    assert done.exit_code == 2
    assert f"{server.url} can't be reached" in done.stderr
    assert "sesame" not in done.stderr
    kept = list(own_index.iterdir())
    assert kept
    assert not any(b"sesame" in file.read_bytes() for file in kept)


@pytest.mark.parametrize("profile", ["absent", "failing"])
def test_credentials_that_can_not_be_had_are_told(folder: Path, tmp_path: Path, profile: str) -> None:
    (tmp_path / "config").write_text("[profile failing]\ncredential_process = false\nregion = us-east-1\n")
    environment = {
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        "AWS_PROFILE": profile,
    }
    with answering(Reply({"similarity": 1})) as server:
        done = run("compare", "a.jpg", "b.jpg", "--url", server.url, "--sign", **environment)
    assert (done.exit_code, done.stdout) == (2, ""), done.output
    assert isinstance(done.exception, SystemExit), done.exception
    assert "The AWS credentials can't be used" in done.stderr


def test_credentials_that_expire_on_the_way_are_told() -> None:
    def refresh() -> dict[str, str]:
        raise CredentialRetrievalError(provider="sso", error_msg="the session has expired")

    expired = RefreshableCredentials(
        "AKIDEXAMPLE", "secret", "token", datetime.now(UTC) - timedelta(hours=1), refresh, "sso"
    )
    with pytest.raises(Unreachable, match=r"can't be used: .*the session has expired"):
        Signer(expired, "us-east-1").headers("http://127.0.0.1/", b"{}")


@pytest.mark.parametrize(
    "body",
    [
        PAGE,
        b"",
        [],
        {},
        {"matches": {}, "complete": True},
        {"matches": [], "complete": "yes"},
        {"matches": [7], "complete": True},
        {"matches": [{"key": 7, "similarity": 1}], "complete": True},
        {"matches": [{"key": "s3://b/k", "similarity": "1"}], "complete": True},
        {"matches": [{"key": "s3://b/k", "similarity": 2}], "complete": True},
    ],
    ids=lambda body: body.decode() if isinstance(body, bytes) else json.dumps(body),
)
def test_a_search_that_is_answered_by_something_else_is_told(folder: Path, body: object) -> None:
    with answering(Reply(body)) as server:
        done = run("search", folder / "cat.jpg", "--url", server.url)
    assert (done.exit_code, done.stdout) == (2, ""), done.output
    assert "The answer" in done.stderr or "A match of the answer" in done.stderr
