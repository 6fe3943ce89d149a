"""cdk-nag is at work: nothing is found that is not acknowledged, and no acknowledgment is stale."""

import json
from collections.abc import Iterator
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3

from cdk_app import security
from cdk_app.config import DeploymentConfig, cdk_context
from cdk_app.stack import ImageSimilarityStack


def reported(folder: Path) -> Iterator[tuple[str, str]]:
    """(construct path in the stack, finding) of the validation report."""
    report = json.loads((folder / "validation-report.json").read_text())
    for plugin in report["pluginReports"]:
        prefix = "" if plugin["pluginName"] == "AwsSolutions" else "CloudFormation-Validate::"
        for violation in plugin["violations"]:
            for construct in violation["violatingConstructs"]:
                yield (
                    construct["constructPath"].removeprefix("ImageSimilarity/"),
                    prefix + violation["ruleName"],
                )


def test_the_acknowledgments_are_exactly_what_is_found(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path), context=cdk_context(), analytics_reporting=False)
    stack = ImageSimilarityStack(app, DeploymentConfig())
    security.check(app)
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
    acknowledged = {
        (item.path, finding) for item in security.ACKNOWLEDGED for finding in security.findings(stack, item)
    }
    assert set(reported(tmp_path)) == acknowledged


def test_every_acknowledgment_matches_one_finding_and_says_why(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path), context=cdk_context())
    stack = ImageSimilarityStack(app, DeploymentConfig())
    for item in security.ACKNOWLEDGED:
        assert len(security.findings(stack, item)) == 1, item
        assert len(item.reason) > 40


def test_a_finding_that_nobody_acknowledged_stops_synthesis(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path), context=cdk_context(), analytics_reporting=False)
    stack = ImageSimilarityStack(app, DeploymentConfig())
    security.acknowledge(stack)
    security.check(app)
    s3.CfnBucket(stack, "Bucket")
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
    assert ("Bucket", "AwsSolutions-S1") in set(reported(tmp_path))
