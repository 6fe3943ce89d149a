"""The catalogue's adapter against batches as Lambda's pollers make them, from the local cloud's queue."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from image_similarity.catalogue.index import TransientError
from image_similarity.catalogue.messages import Changed, Listing, encode
from image_similarity.catalogue.s3_vectors import S3VectorsIndex
from image_similarity.inference.encoder import OnnxEncoder
from tests.support.catalogue.aws import Context, OnAws, adapter, gradient, running

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
Lines = list[dict[str, Any]]


@pytest.fixture(scope="module")
def running_catalogue() -> Iterator[OnAws]:
    with running() as on_aws:
        yield on_aws


@pytest.fixture
def aws(running_catalogue: OnAws) -> OnAws:
    """An empty catalogue."""
    running_catalogue.clear()
    return running_catalogue


@pytest.fixture(scope="module")
def module(running_catalogue: OnAws) -> Iterator[ModuleType]:
    with adapter(running_catalogue.environment) as module:
        yield module


@pytest.fixture
def index(aws: OnAws, module: ModuleType) -> S3VectorsIndex:
    parts, _ = module._indexing()
    found: S3VectorsIndex = parts.index
    return found


def event_of(bucket: str, key: str, kind: object = "Object Created", **changed: Any) -> str:
    """As EventBridge sends it: the key as it is."""
    detail = {"version": "0", "bucket": {"name": bucket}, "object": {"key": key, "size": 1}, "reason": "x"}
    return json.dumps(
        {
            **{"version": "0", "id": "17793124-05d4-b198-2fde-7ededc63b103", "detail-type": kind},
            **{"source": "aws.s3", "account": "123456789012", "region": "us-east-1", "detail": detail},
            **changed,
        }
    )


def failed(module: ModuleType, event: Any, milliseconds: int = 300_000) -> list[str]:
    answer = module.index(event, Context(milliseconds))
    assert answer.keys() == {"batchItemFailures"}
    assert all(one.keys() == {"itemIdentifier"} for one in answer["batchItemFailures"])
    return [one["itemIdentifier"] for one in answer["batchItemFailures"]]


def metrics(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The last line with metrics."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    found: dict[str, Any] = lines[-1]
    return found


def counted(line: dict[str, Any]) -> dict[str, int]:
    names = ("Messages", "Indexed", "Deleted", "Unchanged", "Failed", "Later", "Unreadable", "Foreign")
    return {name: line[name] for name in names if line[name]}


def test_objects_come_change_and_go(
    aws: OnAws, module: ModuleType, index: S3VectorsIndex, capsys: pytest.CaptureFixture[str]
) -> None:
    name = 'a b+c%20/ü"\\.png'
    key = aws.put(name, gradient(1))
    aws.send(event_of(aws.bucket, name))
    assert failed(module, aws.receive()) == []
    assert aws.waiting() == 0
    first = index.vector(key)
    assert index.get([key]).keys() == {key}
    assert counted(metrics(capsys)) == {"Messages": 1, "Indexed": 1}
    aws.put(name, gradient(2))
    aws.send(event_of(aws.bucket, name), event_of(aws.bucket, name))
    assert failed(module, aws.receive()) == []
    second = index.vector(key)
    assert first is not None
    assert second is not None
    assert (first != second).any()
    aws.s3.delete_object(Bucket=aws.bucket, Key=name)
    aws.send(event_of(aws.bucket, name, "Object Deleted"))
    assert failed(module, aws.receive()) == []
    assert index.get([key]) == {}
    line = metrics(capsys)
    assert counted(line) == {"Messages": 1, "Deleted": 1}
    assert (line["Stack"], line["Backend"]) == ("a-stack", "catalogue")
    assert line["requestId"] == Context.aws_request_id
    [directive] = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "ImageSimilarity"
    assert directive["Dimensions"] == [["Stack", "Backend"]]
    assert all(isinstance(line[metric["Name"]], int | float) for metric in directive["Metrics"])
    assert aws.bucket not in json.dumps(line)


def test_a_restored_object_is_indexed(aws: OnAws, module: ModuleType, index: S3VectorsIndex) -> None:
    key = aws.put("cold.png", gradient(1))
    aws.send(event_of(aws.bucket, "cold.png", "Object Restore Completed"))
    assert failed(module, aws.receive()) == []
    assert key in index.get([key])


def test_events_of_other_buckets_go(
    aws: OnAws, module: ModuleType, index: S3VectorsIndex, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.send(event_of(f"others-{aws.digits}", "a.png"))
    assert failed(module, aws.receive()) == []
    assert counted(metrics(capsys)) == {"Messages": 1, "Foreign": 1}
    assert index.page().entries == ()


@pytest.mark.parametrize(
    "body",
    [
        "",
        "no JSON",
        "null",
        "[]",
        "3",
        '"text"',
        "[" * 100_000,
        "{}",
        '{"changed": ',
        json.dumps({"source": "aws.ec2", "detail-type": "Object Created"}),
        event_of("b", "k", "Object Access Tier Changed"),
        event_of("b", "k", source="aws.events"),
        event_of("b", ""),
        event_of("b", "k", detail=None),
        event_of("b", "k", detail={}),
        event_of("b", "k", detail={"bucket": "b", "object": {"key": "k"}}),
        event_of("b", "k", detail={"bucket": {"name": "b"}, "object": {"key": 3}}),
        event_of("b", "k", 3),
    ],
)
def test_what_cant_be_read_is_left_to_the_dead_letters(
    aws: OnAws,
    module: ModuleType,
    index: S3VectorsIndex,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    body: str,
) -> None:
    key = aws.put("a.png", gradient(1))
    aws.send(encode(Changed(key)))
    batch = aws.receive()
    batch["Records"].append({**batch["Records"][0], "messageId": "unreadable", "body": body})
    assert failed(module, batch) == ["unreadable"]
    assert key in index.get([key])
    assert "message unreadable can't be read: " in caplog.text
    assert "Traceback" not in caplog.text
    assert counted(metrics(capsys)) == {"Messages": 2, "Indexed": 1, "Unreadable": 1}


@pytest.mark.parametrize("missing", ["body", "receiptHandle", "attributes"])
def test_a_record_of_another_shape_fails_alone(
    aws: OnAws, module: ModuleType, index: S3VectorsIndex, missing: str
) -> None:
    key = aws.put("a.png", gradient(1))
    aws.send(encode(Changed(key)), encode(Changed(aws.put("b.png", gradient(2)))))
    batch = aws.receive()
    broken = next(one for one in batch["Records"] if json.loads(one["body"])["changed"] != key)
    broken.pop(missing)
    assert failed(module, batch) == [broken["messageId"]]
    assert index.get([key, aws.key("b.png")]).keys() == {key}


@pytest.mark.parametrize("event", [{}, {"Records": None}, {"Records": 3}, {"Records": [{}]}, None, [], 3])
def test_an_event_of_another_shape_fails_whole_and_tells_nothing(module: ModuleType, event: Any) -> None:
    assert module.index(event, Context()) == {"batchItemFailures": [{"itemIdentifier": ""}]}


def test_a_defect_fails_the_batch_and_tells_nothing(
    aws: OnAws, module: ModuleType, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr(module, "_consumer", broken)
    aws.send(encode(Changed(aws.key("a.png"))))
    answer = module.index(aws.receive(), Context())
    assert answer == {"batchItemFailures": [{"itemIdentifier": ""}]}
    assert caplog.records[-1].exc_info


def test_no_messages(module: ModuleType) -> None:
    assert failed(module, {"Records": []}) == []


def test_a_poisoned_picture_among_a_hundred(
    aws: OnAws, module: ModuleType, index: S3VectorsIndex, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [f"{number:02}.png" for number in range(97)]
    for number, name in enumerate(names):
        aws.put(name, gradient(number))
    poison = {"bomb.png": gradient(1)[:40], "text.jpg": b"no picture", "cut.jpg": b"\xff\xd8\xff\xe0" * 9}
    for name, body in poison.items():
        aws.put(name, body)
    aws.send(*(event_of(aws.bucket, name) for name in (*names, *poison)))
    assert failed(module, aws.receive()) == []
    assert counted(metrics(capsys)) == {"Messages": 100, "Indexed": 97, "Failed": 3}
    assert {entry.key for entry in index.page().entries} == {aws.key(name) for name in names}
    parts, _ = module._indexing()
    reasons = {one.key: one.message for one in parts.ledger.newest()}
    assert reasons.keys() == {aws.key(name) for name in poison}
    assert "JPEG, PNG" in reasons[aws.key("text.jpg")]
    assert aws.waiting() == 0


def test_what_was_finished_before_the_time_was_over_does_not_come_again(
    aws: OnAws, module: ModuleType, index: S3VectorsIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(40):
        aws.send(event_of(aws.bucket, aws.put(f"{number}.png", gradient(number)).rpartition("/")[2]))
    clock = {"now": 0.0}
    _, indexer = module._indexing()
    for part in (indexer, indexer._reader):
        monkeypatch.setattr(part, "_clock", lambda: clock["now"])
    monkeypatch.setattr(module.time, "monotonic", lambda: clock["now"])
    encode_batch = OnnxEncoder.encode

    def slow(encoder: OnnxEncoder, batch: Any) -> Any:
        clock["now"] += 1_000
        return encode_batch(encoder, batch)

    monkeypatch.setattr(OnnxEncoder, "encode", slow)
    event = aws.receive(40)
    left = failed(module, event)
    assert 0 < len(index.page().entries) == 40 - len(left) < 40
    assert aws.waiting() == len(left)
    monkeypatch.setattr(OnnxEncoder, "encode", encode_batch)
    again = aws.receive(40)  # those that were not begun are given again at once
    assert {one["messageId"] for one in again["Records"]} == set(left)
    assert all(one["attributes"]["ApproximateReceiveCount"] == "2" for one in again["Records"])
    clock["now"] = 0.0
    assert failed(module, again) == []
    assert len(index.page().entries) == 40
    assert aws.waiting() == 0


def test_without_time_nothing_is_begun(aws: OnAws, module: ModuleType, index: S3VectorsIndex) -> None:
    aws.send(event_of(aws.bucket, aws.put("a.png", gradient(1)).rpartition("/")[2]))
    batch = aws.receive()
    assert failed(module, batch, milliseconds=0) == [batch["Records"][0]["messageId"]]
    assert index.page().entries == ()


def test_a_throttled_index_leaves_the_messages(
    aws: OnAws, module: ModuleType, index: S3VectorsIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.send(event_of(aws.bucket, aws.put("a.png", gradient(1)).rpartition("/")[2]))

    def throttled(*_: object) -> None:
        raise TransientError("S3 Vectors: TooManyRequestsException")

    monkeypatch.setattr(S3VectorsIndex, "put", throttled)
    batch = aws.receive()
    assert failed(module, batch) == [batch["Records"][0]["messageId"]]
    assert aws.waiting() == 1


def test_pictures_are_decoded_in_processes_that_can_be_ended(
    aws: OnAws, module: ModuleType, index: S3VectorsIndex
) -> None:
    while module.decoder.idle:
        module.decoder.idle.pop().close()
    aws.send(event_of(aws.bucket, aws.put("a.png", gradient(1)).rpartition("/")[2]))
    assert failed(module, aws.receive()) == []
    assert len(module.decoder.idle) == 1


def test_a_sync_runs_through_the_same_queue(aws: OnAws, module: ModuleType, index: S3VectorsIndex) -> None:
    keys = {aws.put(f"{number}.png", gradient(number)) for number in range(5)}
    parts, _ = module._indexing()
    state = module._sync(parts).start()
    assert failed(module, aws.receive()) == []  # lists the first bucket and queues what it has
    assert failed(module, aws.receive()) == []
    assert {entry.key for entry in index.page().entries} == keys
    last = parts.ledger.sync()
    assert last is not None
    assert (last.run, last.listed, last.queued) == (state.run, 5, 5)
    assert last.step.phase == "settle"  # which waits a minute, in the queue
    assert aws.waiting() == 1


def test_steps_of_an_unknown_sync_go(aws: OnAws, module: ModuleType) -> None:
    aws.send(encode(Listing("unknown")))
    assert failed(module, aws.receive()) == []
    assert aws.waiting() == 0


def started(*names: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "\n".join(names)]
    path = f"{ROOT}:{ROOT / 'lambda'}"
    return subprocess.run(
        command,
        env={"PYTHONPATH": path, "PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_the_api_s_handler_imports_nothing_of_the_catalogue() -> None:
    done = started("import handler, sys", "print([name for name in sys.modules if 'catalogue' in name])")
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("CATALOGUE_INDEX_ARN", "", "CATALOGUE_INDEX_ARN is not set."),
        (
            "CATALOGUE_INDEX_ARN",
            "arn:aws:s3:::b",
            "CATALOGUE_INDEX_ARN is 'arn:aws:s3:::b', which",
        ),
        ("CATALOGUE_TABLE", " ", "CATALOGUE_TABLE is not set."),
        ("CATALOGUE_QUEUE_URL", "", "CATALOGUE_QUEUE_URL is not set."),
        ("IMAGE_BUCKETS", "", "IMAGE_BUCKETS is not set."),
        ("USER_AGENT_CONTACT", "nobody", "USER_AGENT_CONTACT is 'nobody'"),
        ("MODEL_DIR", "/nowhere", "manifest.json does not exist"),
    ],
)
def test_a_setting_that_cant_be_used_ends_the_start_with_a_sentence(
    aws: OnAws, name: str, value: str, sentence: str
) -> None:
    done = started("import catalogue", **{**aws.environment, name: value})
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert sentence in done.stderr


@pytest.mark.parametrize("function", ["index", "answer"])
def test_clients_are_made_while_the_function_starts(aws: OnAws, function: str) -> None:
    made = {"index": "catalogue._indexing", "answer": "catalogue._calls"}
    code = f"print([{', '.join(f'{name}.cache_info().currsize' for name in made.values())}])"
    done = started("import catalogue", code, **aws.environment, _HANDLER=f"catalogue.{function}")
    assert done.stdout == str([int(name == function) for name in made]) + "\n", done.stderr
