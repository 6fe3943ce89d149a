"""From context to a cloud assembly."""

import json
import os
from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk

from cdk_app import advice, security
from cdk_app.config import DeploymentConfig, cdk_context
from cdk_app.stack import ImageSimilarityStack


def build(*, outdir: str, context: Mapping[str, Any] | None = None) -> cdk.App:
    """Make the app; `synth()` on it writes the cloud assembly.

    Args:
        outdir: the cloud assembly's folder.
        context: flags and the CDK's own keys, over those of cdk.json; by default what the CDK command line
            hands over (`-c`).

    Raises:
        ConfigError: a key is probably a misspelt flag, a flag has a value that is not allowed, or something
            is not pinned and must be.
    """
    if context is None:
        context = json.loads(os.environ.get("CDK_CONTEXT_JSON", "{}"))
    merged = {**cdk_context(), **context}
    config = DeploymentConfig.from_context(merged)
    advice.require_pins(config)
    app = cdk.App(outdir=outdir, context=merged, analytics_reporting=False)
    stack = ImageSimilarityStack(app, config)
    for key in config.ignored:
        cdk.Annotations.of(stack).add_warning_v2(
            "image-similarity:context", f"Context key '{key}' is no flag of this app: it is ignored."
        )
    for name, warning in advice.warnings(config):
        cdk.Annotations.of(stack).add_warning_v2(f"image-similarity:{name}", warning)
    security.acknowledge(stack)
    security.check(app)
    return app
