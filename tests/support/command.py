"""Runs a command as a shell would."""

from click.testing import Result
from typer.testing import CliRunner

from image_similarity.cli.app import app


def run(*arguments: object, **environment: str) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env=environment)
