"""Runs a command as a shell would."""

from typer.testing import CliRunner, Result

from image_similarity.cli.app import app


def run(*arguments: object, **environment: str) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env=environment)
