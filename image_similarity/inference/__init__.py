"""Image similarity: everything between a request body and a response body."""

import os

# ONNX Runtime's Linux wheels send usage data to their maker from version 1.32 on, unless this stands in the
# environment when the library is first imported, which is in one of our modules.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
