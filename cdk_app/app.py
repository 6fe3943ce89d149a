"""From context to a cloud assembly."""

import json
import os
from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk

from cdk_app import security
from cdk_app.config import DeploymentConfig, defaults
from cdk_app.stack import ImageSimilarityStack


def build(*, outdir: str, context: Mapping[str, Any] | None = None) -> cdk.App:
    """Make the app; `synth()` on it writes the cloud assembly.

    Args:
        outdir: the cloud assembly's folder.
        context: flags over those of cdk.json; by default what the CDK command line hands over (`-c`).

    Raises:
        ConfigError: a flag is unknown or has a value that is not allowed.
    """
    if context is None:
        context = json.loads(os.environ.get("CDK_CONTEXT_JSON", "{}"))
    merged = {**defaults(), **context}
    config = DeploymentConfig.from_context(merged)
    app = cdk.App(outdir=outdir, context=merged, analytics_reporting=False)
    security.acknowledge(ImageSimilarityStack(app, config))
    security.check(app)
    return app
