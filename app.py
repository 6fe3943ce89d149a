"""The CDK app. It calls no AWS API and needs neither credentials nor a container engine."""

import os
import sys

from cdk_app.app import build
from cdk_app.config import ConfigError

if __name__ == "__main__":
    try:
        build(outdir=os.environ.get("CDK_OUTDIR", "cdk.out")).synth()
    except ConfigError as error:
        sys.exit(f"{error}")
