"""Image similarity: everything between a request body and a response body."""

import os

VERSION = "1.0.0"
"""Of the project, as in pyproject.toml: what servers that images are fetched from are told."""

# ONNX Runtime's Linux wheels send usage data to their maker from version 1.32 on, unless this stands in the
# environment when the library is first imported, which is in one of our modules.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
