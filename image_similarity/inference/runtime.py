"""Process-wide settings of a process that serves or computes. No import of ours sets anything."""

import logging
import os
import sys
from types import ModuleType


def prepare(log_lines: logging.Formatter | None = None) -> None:
    """Set up this process; its owner (an adapter, the command line) calls this once, first.

    Args:
        log_lines: writes log records, from warnings on, to standard output; none: they stay as they are.
    """
    keep_onnxruntime_quiet()
    if log_lines is not None:
        handler = logging.StreamHandler(sys.stdout)
        handler.setFormatter(log_lines)
        logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    # It would log URLs, whose queries may be secrets, when a server's headers are malformed.
    logging.getLogger("urllib3.connection").setLevel(logging.ERROR)


def import_onnxruntime() -> ModuleType:
    """ONNX Runtime, imported when it is first needed: it changes the process that imports it."""
    keep_onnxruntime_quiet()
    import onnxruntime

    imported: ModuleType = onnxruntime
    return imported


def keep_onnxruntime_quiet() -> None:
    """Turn ONNX Runtime's telemetry off; this has no effect once the library has been imported.

    From version 1.32 on its Linux wheels send usage data to their maker, unless this is in the environment.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
