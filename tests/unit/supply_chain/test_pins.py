"""What a build may fetch: pins written from what was seen, and builds that take nothing else."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from supply_chain import weights as weights_module
from supply_chain.pin import _source, base_digest, main, pin, pin_int8, weights_pin
from supply_chain.pins import LAMBDA_BASE, PYTHON_BASE, PinError, Pins, Weights
from supply_chain.weights import checkpoint, pinned

INDEX = json.dumps({"schemaVersion": 2, "manifests": []}).encode()
COMMIT = "0123456789abcdef0123456789abcdef01234567"
SAFE, PICKLE = "a" * 64, "b" * 64
ENCODER = bytes(range(256)) * 5000


class Registry(BaseHTTPRequestHandler):
    """A registry that wants a token as ECR Public does, and a model hub, on one port."""

    siblings: list[dict[str, Any]]

    def do_GET(self) -> None:
        host = f"http://127.0.0.1:{self.server.server_port}"  # type: ignore[attr-defined]
        if self.path.startswith("/token"):
            assert "scope=repository%3Alambda%2Fpython%3Apull" in self.path
            self.answer(200, json.dumps({"token": "t0"}).encode())
        elif self.path.startswith("/api/models/laion/x/revision/main?blobs=true"):
            self.answer(200, json.dumps({"sha": COMMIT, "siblings": self.siblings}).encode())
        elif self.path == "/encoder.torchscript.pt":
            self.answer(200, ENCODER)
        elif self.path != "/v2/lambda/python/manifests/3.12":
            self.answer(404, b"")
        elif self.headers["Authorization"] != "Bearer t0":
            challenge = f'Bearer realm="{host}/token",service="s",scope="repository:lambda/python:pull"'
            self.answer(401, b"", {"WWW-Authenticate": challenge})
        else:
            assert "application/vnd.oci.image.index.v1+json" in self.headers["Accept"]
            self.answer(200, INDEX, {"Docker-Content-Digest": "sha256:" + "0" * 64})

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def host() -> Iterator[str]:
    Registry.siblings = [
        {"rfilename": "README.md"},
        {"rfilename": "open_clip_pytorch_model.bin", "lfs": {"sha256": PICKLE}},
        {"rfilename": "open_clip_model.safetensors", "lfs": {"sha256": SAFE}},
    ]
    with ThreadingHTTPServer(("127.0.0.1", 0), Registry) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False) as client:
        yield client


def test_a_bases_digest_is_of_the_bytes_and_not_of_a_header(host: str, client: httpx.Client) -> None:
    expected = f"sha256:{hashlib.sha256(INDEX).hexdigest()}"
    assert base_digest(client, f"{host}/lambda/python:3.12") == expected


def test_a_tag_that_is_not_there_is_not_pinned(host: str, client: httpx.Client) -> None:
    with pytest.raises(PinError, match="answered 404"):
        base_digest(client, f"{host}/lambda/python:9.9")


def test_weights_are_pinned_by_commit_and_hash_and_the_safer_file_goes_first(
    host: str, client: httpx.Client
) -> None:
    pinned = weights_pin(client, Weights("laion/x"), f"http://{host}")
    assert pinned == Weights("laion/x", "open_clip_model.safetensors", COMMIT, SAFE)
    assert pinned.pinned
    Registry.siblings.pop()
    assert weights_pin(client, Weights("laion/x"), f"http://{host}").sha256 == PICKLE
    Registry.siblings.pop()
    with pytest.raises(PinError, match="holds neither"):
        weights_pin(client, Weights("laion/x"), f"http://{host}")


def test_weights_of_a_url_are_pinned_by_hash_fetched_once_and_compared(
    host: str, client: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights_module, "CHECKPOINTS", tmp_path / "checkpoints")
    named = Weights(None, "encoder.torchscript.pt", url=f"http://{host}/encoder.torchscript.pt")
    assert not named.pinned
    entry = weights_pin(client, named)
    assert entry == replace(named, sha256=hashlib.sha256(ENCODER).hexdigest())
    assert entry.pinned
    file = checkpoint(entry)
    assert file.read_bytes() == ENCODER
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    file.write_bytes(b"other")
    with pytest.raises(PinError, match="these are other weights"):
        checkpoint(entry)
    with pytest.raises(httpx.HTTPStatusError):
        weights_pin(client, replace(named, url=f"http://{host}/absent"))


def test_weights_that_are_not_pinned_are_fetched_by_name_from_their_url(
    host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights_module, "CHECKPOINTS", tmp_path)
    named = Weights(None, "encoder.torchscript.pt", url=f"http://{host}/encoder.torchscript.pt")
    file = weights_module.by_name("e/t", Pins({}, {"e/t": named}))
    assert file is not None
    assert file.read_bytes() == ENCODER


def test_a_model_from_a_url_has_one_kind_of_weights() -> None:
    assert Pins.load().only_tag("sscd_disc_mixup") == "meta"
    assert Pins.load().only_tag("ViT-B-32") is None
    entry = Weights(None, "f", url="https://example.com/f")
    assert Pins({}, {"m/a": entry, "m/b": entry}).only_tag("m") is None


def test_an_int8_scheme_is_pinned_from_the_artifact_that_was_made_with_it(tmp_path: Path) -> None:
    manifest = {"model": "m", "pretrained": "t", "scheme": "outliers"}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    pins = Pins({}, {"m/t": Weights("laion/x", "f", "r", "s"), "other/t": Weights(None, "f")})
    recorded = pin_int8(pins, tmp_path)
    assert recorded.weights == {**pins.weights, "m/t": replace(pins.weights["m/t"], int8="outliers")}
    with pytest.raises(PinError, match="make pin WEIGHTS=m/t=SOURCE"):
        pin_int8(Pins({}, {}), tmp_path)
    (tmp_path / "manifest.json").write_text(json.dumps({**manifest, "scheme": None}))
    with pytest.raises(PinError, match="holds no int8 artifact"):
        pin_int8(pins, tmp_path)
    for damaged in ("{", "[]", '{"scheme": "outliers"}'):
        (tmp_path / "manifest.json").write_text(damaged)
        with pytest.raises(PinError, match="is no model manifest"):
            pin_int8(pins, tmp_path)


def test_sources_are_told_apart() -> None:
    assert _source("https://example.com/a/e.pt") == Weights(None, "e.pt", url="https://example.com/a/e.pt")
    assert _source("checkpoints/e.pt") == Weights(None, "e.pt")
    assert _source("laion/x") == Weights("laion/x")


def test_only_missing_leaves_what_is_pinned(host: str, client: httpx.Client) -> None:
    kept = Weights("laion/y", "f", "r", "s")
    pins = Pins(
        {f"{host}/lambda/python:3.12": None, "other:1": "sha256:1"}, {"x/t": Weights("laion/x"), "y/t": kept}
    )
    result, failures = pin(pins, client, only_missing=True, hub=f"http://{host}")
    assert result.bases["other:1"] == "sha256:1"
    assert result.weights["y/t"] == kept
    assert result.weights["x/t"].pinned
    assert failures == []


def test_what_can_not_be_reached_stays_as_it_was_and_is_named(host: str, client: httpx.Client) -> None:
    pins = Pins(
        {f"{host}/lambda/python:3.12": None, f"{host}/lambda/python:9": "sha256:1"}, {"x/t": Weights("no/x")}
    )
    result, failures = pin(pins, client, only_missing=False, hub=f"http://{host}")
    assert result.bases[f"{host}/lambda/python:3.12"] is not None
    assert result.bases[f"{host}/lambda/python:9"] == "sha256:1"
    assert result.weights == pins.weights
    assert [failure.split(" ")[0] for failure in failures] == [f"{host}/lambda/python:9", "x/t"]


def test_where_nothing_can_be_reached_nothing_is_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Pins, "load", lambda: Pins({"127.0.0.1:9/lambda/python:3.12": None}, {}))
    monkeypatch.setattr(Pins, "save", lambda _self: pytest.fail("written"))
    assert main([]) == 1
    assert "127.0.0.1:9/lambda/python:3.12 is not pinned: " in capsys.readouterr().err


def test_the_shipped_pins_name_what_the_builds_ask_for_and_hold_whole_digests_alone() -> None:
    pins = Pins.load()
    assert set(pins.bases) == {LAMBDA_BASE, PYTHON_BASE}
    assert "ViT-B-32/laion2b_s34b_b79k" in pins.weights
    for digest in filter(None, pins.bases.values()):
        assert digest.startswith("sha256:")
        assert len(digest) == 71
    for entry in pins.weights.values():
        assert entry.pinned or (entry.file, entry.revision, entry.sha256) == (None, None, None)


def test_pins_are_read_as_they_were_written(tmp_path: Path) -> None:
    pins = Pins({"b": None, "a": "sha256:1"}, {"m/t": Weights("r", "f", "c", "s")})
    pins.save(tmp_path / "pins.json")
    assert Pins.load(tmp_path / "pins.json") == pins
    assert pins.base("a") == "a@sha256:1"
    assert pins.base("b") == "b"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(weights_module, "CHECKPOINTS", tmp_path)
    (tmp_path / "mine.bin").write_bytes(b"weights")
    return tmp_path


WEIGHTS_SHA256 = hashlib.sha256(b"weights").hexdigest()
HUB_FILE = Weights("laion/x", "f", COMMIT, WEIGHTS_SHA256)
PINS = Pins(
    {},
    {
        "m/open": Weights("laion/x"),
        "m/hub": HUB_FILE,
        "m/mine": Weights(None, "mine.bin", None, WEIGHTS_SHA256),
        "m/absent": Weights(None, "absent.bin", None, WEIGHTS_SHA256),
        "m/changed": Weights(None, "mine.bin", None, "0" * 64),
    },
)


def never(_: Weights) -> Path:
    pytest.fail("fetched")


def test_a_file_of_ones_own_is_pinned_and_taken_by_its_hash(folder: Path, client: httpx.Client) -> None:
    assert weights_pin(client, Weights(None, "mine.bin")) == PINS.weights["m/mine"]
    assert checkpoint(pinned("m/mine", PINS), never) == folder / "mine.bin"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("m/unknown", "m/unknown is not in supply_chain/pins.json: run `make pin WEIGHTS=m/unknown=SOURCE`"),
        ("m/open", "m/open is not pinned yet: run `make pin`"),
        ("m/absent", "there is no file .*/absent.bin"),
    ],
)
def test_what_can_not_work_is_refused_before_anything_is_fetched(
    folder: Path, name: str, message: str
) -> None:
    with pytest.raises(PinError, match=message):
        pinned(name, PINS)


def test_other_weights_than_the_pinned_ones_end_the_build(folder: Path) -> None:
    with pytest.raises(PinError, match=f"mine.bin has SHA-256 {WEIGHTS_SHA256}, but 000"):
        checkpoint(pinned("m/changed", PINS), never)
    path = folder / "mine.bin"
    assert checkpoint(HUB_FILE, lambda _: path) == path
    with pytest.raises(PinError, match="these are other weights"):
        checkpoint(replace(HUB_FILE, sha256="1" * 64), lambda _: path)
