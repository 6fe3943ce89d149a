"""What --help says: options where they belong, and examples that are calls of the commands."""

import shlex

import pytest
from typer.main import get_command

from image_similarity.cli.app import EXAMPLES, app
from tests.support.command import run

COMMANDS = [command.__name__ for command in EXAMPLES]


def text(*arguments: str, columns: int = 200) -> str:
    done = run(*arguments, "--help", COLUMNS=str(columns), TERMINAL_WIDTH=str(columns))
    assert done.exit_code == 0
    return done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_examples_are_shown_and_are_calls(command: str) -> None:
    group = get_command(app)
    shown = text(command)
    for line in next(lines for function, lines in EXAMPLES.items() if function.__name__ == command):
        assert line in shown
        words = shlex.split(line.rpartition("| ")[2].partition(" >")[0])
        assert words[:2] == ["image-similarity", command]
        group.commands[command].make_context(command, words[2:])  # type: ignore[attr-defined]


@pytest.mark.parametrize("command", ["embed", "compare", "pairs", "search"])
def test_options_of_an_api_stand_apart(command: str) -> None:
    own, api = text(command).split("Through an API")
    for option in ("--stack", "--url", "--local", "--sign", "--region"):
        assert option in api
        assert option not in own
