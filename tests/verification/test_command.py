"""The command asks, tells by its exit status, and puts parameters back whatever happens."""

import io
import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from tests.cloudformation.engine import Step
from tests.verification.cloud import EngineCloud, Quirks
from tests.verification.place import Place
from tests.verification.sabotage import as_status
from verify import command
from verify.cloud import Cloud
from verify.facts import Answer, CloudFailed, Request
from verify.rows import Row
from verify.run import Choice, Run
from verify.subject import Pictures, Subject

PICTURES = Pictures("", "", "")


def verify(cloud: Cloud, folder: Path, *arguments: str) -> tuple[int, str]:
    """Exit status and output."""
    options = command.parser("verify").parse_args([*arguments, "--out", str(folder)])
    console = Console(file=io.StringIO(), width=200)
    status = command.execute(options, lambda: cloud, console)
    assert isinstance(console.file, io.StringIO)
    return status, console.file.getvalue()


@pytest.fixture(autouse=True)
def _signals() -> object:
    """The command takes signals; the tests' own come back."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


def test_what_passed_is_0_and_a_table_is_saved(here: Place, folder: Path) -> None:
    with here.stack({}) as cloud:
        status, output = verify(cloud, folder, "--only", "vector,root", "--quick")
    assert status == 0
    assert "2 passed, 0 failed, 0 skipped" in output
    [saved] = folder.glob("*.json")
    told = json.loads(saved.read_text())
    assert [(row["row"], row["verdict"]) for row in told["rows"]] == [("root", "pass"), ("vector", "pass")]
    [page] = folder.glob("*.md")
    assert "| vector | lambda |" in page.read_text()


def test_what_failed_is_1(here: Place, folder: Path) -> None:
    with here.stack({}, quirks=as_status(415, 400)) as cloud:
        status, output = verify(cloud, folder, "--only", "vector,media-type", "--quick")
    assert (status, "1 passed, 1 failed, 0 skipped" in output) == (1, True)


def test_what_was_skipped_is_never_passed(here: Place, folder: Path) -> None:
    with here.stack({}) as cloud:
        status, output = verify(cloud, folder, "--only", "vector,kms-key", "--quick", "--yes")
    assert (status, "1 passed, 0 failed, 1 skipped" in output) == (3, True)
    assert "needs WITH='KmsKeyArn=...'" in output


def test_nothing_changes_where_nobody_can_be_asked(
    here: Place, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    with here.stack({}) as cloud:
        status, _ = verify(cloud, folder, "--only", "memory", "--quick")
        assert cloud.stack().status == "CREATE_COMPLETE"
    assert status == 1
    assert "YES=1" in capsys.readouterr().err


@pytest.mark.parametrize(("answer", "status"), [("ImageSimilarity", 0), ("yes", 1), ("", 1)])
def test_it_asks_for_the_stacks_name(
    here: Place, folder: Path, monkeypatch: pytest.MonkeyPatch, answer: str, status: int
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal(f"{answer}\n"))
    with here.stack({}) as cloud:
        seen, output = verify(cloud, folder, "--only", "memory", "--quick")
        assert (cloud.stack().status == "UPDATE_COMPLETE") == (status == 0)
    assert seen == status
    assert "these parameters are changed, and put back: LambdaMemorySize" in output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "vectors"], "No row is called vectors; there are outputs, "),
        (["--with", "Colour=red"], "'Colour=red': write NAME=VALUE, of AlarmTopicArn, "),
        (["--with", "KmsKeyArn"], "'KmsKeyArn': write NAME=VALUE"),
    ],
)
def test_a_wrong_argument_is_a_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    def never() -> Cloud:
        raise AssertionError("the stack is looked at")

    options = command.parser("verify").parse_args([*arguments, "--out", str(folder)])
    assert command.execute(options, never, Console(file=io.StringIO())) == 1
    assert message in capsys.readouterr().err


def broken(error: BaseException) -> Callable[[Subject], str]:
    def check(_: Subject) -> str:
        raise error

    return check


def changing(check: Callable[[Subject], str]) -> Row:
    def memory(_: Subject) -> dict[str, str]:
        return {"LambdaMemorySize": "2048"}

    return Row("test", "", "", check, ("lambda",), (memory,), ("LambdaMemorySize",))


def run(cloud: Cloud, row: Row) -> Run:
    return Run(cloud, Choice([row], (), PICTURES), lambda text: None)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("a defect of the check")])
def test_parameters_are_put_back_whatever_a_check_does(here: Place, error: BaseException) -> None:
    with here.stack({}) as cloud:
        before = dict(cloud.stack().parameters)
        with pytest.raises(type(error)):
            run(cloud, changing(broken(error))).start()
        assert cloud.stack().status == "UPDATE_COMPLETE"
        assert cloud.stack().parameters == before


def test_an_interruption_of_an_update_puts_parameters_back_when_it_has_ended(here: Place) -> None:
    left = iter([KeyboardInterrupt()])

    def once(_: Request, answer: Answer) -> Answer:
        for error in left:
            raise error
        return answer

    with here.stack({}, quirks=Quirks(answer=once)) as cloud:
        before = dict(cloud.stack().parameters)
        started = run(cloud, changing(lambda subject: "seen"))
        with pytest.raises(KeyboardInterrupt):
            started.start()
        assert cloud.stack().parameters == before
        assert cloud.stack().status == "UPDATE_COMPLETE"


def test_a_signal_puts_parameters_back_and_is_130(
    here: Place, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(_: Subject) -> str:
        os.kill(os.getpid(), signal.SIGTERM)
        return "seen"

    monkeypatch.setattr(command, "ROWS", (replace(changing(check), quick=True),))
    with here.stack({}) as cloud:
        before = dict(cloud.stack().parameters)
        status, output = verify(cloud, folder, "--quick", "--yes")
        assert cloud.stack().parameters == before
    assert status == 130
    assert "Saved:" in output


def test_what_can_not_be_put_back_is_said(here: Place) -> None:
    with here.stack({}) as cloud:
        engine = cloud.engine

        def check(_: Subject) -> str:
            engine.fail = lambda step: "no" if step == Step("UPDATE", "LambdaFunction") else None
            return "seen"

        with pytest.raises(
            CloudFailed, match="The parameters were not put back, UPDATE_ROLLBACK_COMPLETE: no"
        ):
            run(cloud, changing(check)).start()


def test_a_value_that_the_stack_has_already_is_skipped(here: Place) -> None:
    with here.stack({"LambdaMemorySize": "2048"}) as cloud:
        started = run(cloud, changing(lambda subject: "seen"))
        started.start()
    assert [(item.verdict, item.seen) for item in started.results] == [
        ("skipped", "the stack has that already: LambdaMemorySize")
    ]


def test_a_change_that_is_refused_fails_its_row(here: Place) -> None:
    row = replace(changing(lambda subject: "seen"), steps=(lambda subject: {"SubnetIds": "subnet-01234567"},))
    with here.stack({}) as cloud:
        started = run(cloud, row)
        started.start()
        assert isinstance(cloud, EngineCloud)
    assert [item.verdict for item in started.results] == ["fail"]
    assert "the change was refused" in started.results[0].seen
