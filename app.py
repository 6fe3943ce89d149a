"""The CDK app. It calls no AWS API; only a deployment needs credentials and a container engine."""

import os
import sys
from pathlib import Path

from cdk_app.config import ConfigError
from cdk_app.preflight import NotReady, check


def main(words: list[str]) -> None:
    """Synthesize. `words` is what the launcher knows of the CDK's command line."""
    check(words)
    from cdk_app import quick_create
    from cdk_app.app import build  # seconds, after what can be told at once

    assembly = Path(build(outdir=os.environ.get("CDK_OUTDIR", "cdk.out")).synth().directory)
    # The CDK's command line hands these over once its credentials have answered.
    quick_create.write(assembly, os.environ.get("CDK_DEFAULT_ACCOUNT"), os.environ.get("CDK_DEFAULT_REGION"))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (ConfigError, NotReady) as error:
        sys.exit(f"{error}")
