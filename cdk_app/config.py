"""What `-c` asks for, checked against the table before anything is synthesized."""

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cdk_app import build_rows
from cdk_app.build_rows import BUILD_FLAGS
from cdk_app.catalogue.rows import has_resources
from cdk_app.constraints import Constraint, OneOf
from cdk_app.parameter_rows import PARAMETERS
from cdk_app.table import Row
from supply_chain.pins import Pins

ROOT = Path(__file__).resolve().parent.parent
ROWS: Mapping[str, Row] = {row.flag: row for row in (*PARAMETERS, *BUILD_FLAGS)}
# Flags that require each other: the rules of the template say the same (parameters.py).
PAIRS = (("subnet_ids", "security_group_ids"),)
# What the CDK's command line writes into context files; its other keys have one of `:`, `/` and `@`.
CDK_KEYS = {"acknowledged-issue-numbers", "cli-telemetry"}
NEAR = 0.75  # share of letters that two names have in common; "tags" and "stage" have 0.67


class ConfigError(ValueError):
    """A context key or value that the app does not know; the message lists those that it knows."""


def defaults() -> dict[str, str]:
    """Every flag's default."""
    return {row.flag: row.default for row in ROWS.values()}


@dataclass(frozen=True)
class DeploymentConfig:
    """Every flag's value; `config["stage"]` is one.

    Args:
        flags: value by flag, all of the table.
        ignored: context keys that are neither ours nor the CDK's, nor near one of ours.
    """

    flags: Mapping[str, str] = field(default_factory=defaults)
    ignored: tuple[str, ...] = ()

    def __getitem__(self, flag: str) -> str:
        return self.flags[flag]

    @classmethod
    def from_context(cls, context: Mapping[str, Any]) -> "DeploymentConfig":
        """Build the configuration from CDK context.

        Args:
            context: every context key; those of the CDK itself (with `:`, `/` or `@`, and CDK_KEYS) pass.

        Raises:
            ConfigError: a key is near one of ours, or a value is not one of those allowed.
        """
        others = [key for key in context if key not in ROWS and not _is_of_the_cdk(key)]
        for key in others:
            if near := _near(key):
                raise ConfigError(
                    f"Context key '{key}' is unknown. Did you mean '{near}'? Keys: {', '.join(ROWS)}."
                )
        given = {key: _text(key, value) for key, value in context.items() if key in ROWS}
        if "model" in given and "pretrained" not in given:
            given |= _only_weights(given["model"])
        config = cls({**defaults(), **given}, tuple(others))
        for flag in sorted(
            given, key=lambda flag: callable(ROWS[flag].rule)
        ):  # those that depend on others last
            _check(flag, config[flag], ROWS[flag].flag_rule(config.flags))
        config._check_together()
        return config

    @property
    def backends(self) -> tuple[str, ...]:
        """The backends whose image is built."""
        return build_rows.backends(self.flags)

    @property
    def has_catalogue(self) -> bool:
        """Whether the template has the catalogue's resources."""
        return has_resources(self.flags)

    def _check_together(self) -> None:
        """Raise ConfigError for flags that are valid alone but not together."""
        if int(self["sagemaker_min"]) > int(self["sagemaker_max"]):
            raise ConfigError(
                f"sagemaker_min is {self['sagemaker_min']} and sagemaker_max is {self['sagemaker_max']}: "
                "the minimum can't be above the maximum."
            )
        if self["model"] == "embedded" and self["precision"] != "fp16":
            raise ConfigError("Context key 'precision': the embedded model comes as fp16 alone.")
        if self["catalogue"] in ("yes", "paused"):
            self._check_catalogue()
        for pair in PAIRS:
            absent = [flag for flag in pair if not self[flag]]
            if len(absent) == 1:
                raise ConfigError(f"{' and '.join(pair)} go together: '{absent[0]}' is missing.")

    def _check_catalogue(self) -> None:
        """The same rules as the template's for the parameters (parameters.py)."""
        if not self["image_buckets"]:
            raise ConfigError(f"catalogue is {self['catalogue']}: 'image_buckets' must list its buckets.")
        if not self.has_catalogue:
            raise ConfigError(
                f"catalogue is {self['catalogue']}: its functions run the Lambda image, "
                f"and images is {self['images']}."
            )


def cdk_context() -> dict[str, Any]:
    """The context of cdk.json, which the CDK command line hands over but a plain `python app.py` lacks."""
    context: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text("utf-8"))["context"]
    return context


def _is_of_the_cdk(key: str) -> bool:
    return key in CDK_KEYS or bool(set(key) & set(":/@"))


def _only_weights(model: str) -> dict[str, str]:
    """The flag for a model's weights, if the model has only one kind."""
    tag = Pins.load(ROOT / "supply_chain" / "pins.json").only_tag(model)
    return {"pretrained": tag} if tag else {}


def _near(key: str) -> str:
    """The flag that a key was probably meant to be, however it is spelt; parameters' names count too."""
    meant = {_snake(row.name): row.flag for row in PARAMETERS} | {flag: flag for flag in ROWS}
    close = difflib.get_close_matches(_snake(key), meant, n=1, cutoff=NEAR)
    return meant[close[0]] if close else ""


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[- .]", "_", name).lower()


def _text(key: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ConfigError(f"Context key '{key}' has the value {json.dumps(value)}; give a string or number.")
    return str(value)


def _check(key: str, value: str, constraint: Constraint) -> None:
    if constraint.accepts(value):
        return
    hint = _hint(value, constraint.values) if isinstance(constraint, OneOf) else ""
    raise ConfigError(f"Context key '{key}' has the value '{value}'.{hint} Allowed: {constraint}.")


def _hint(word: str, known: Iterable[str]) -> str:
    if word.isdigit():
        return ""  # a number is not a misspelling of another
    close = difflib.get_close_matches(word, list(known), n=1)
    return f" Did you mean '{close[0]}'?" if close else ""
