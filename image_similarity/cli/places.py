"""Where the command line keeps what it knows."""

import os
from pathlib import Path


def data_folder() -> Path:
    """The folder of this user's indexes, by the XDG Base Directory Specification (relative ones don't count).

    Raises:
        RuntimeError: the user has no home.
    """
    home = Path(os.environ.get("XDG_DATA_HOME", ""))
    return (home if home.is_absolute() else Path.home() / ".local" / "share") / "image-similarity"
