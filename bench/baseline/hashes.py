"""One hash of imagededup in a process of its own: python bench/baseline/hashes.py METHOD FOLDER.

Runs in .venv-imagededup, which has nothing of ours. Prints JSON: the hash of each file, seconds of hashing
and of finding duplicates at the library's own threshold, and the peak of memory in bytes (VmHWM).
"""

import json
import re
import sys
import time
from pathlib import Path

from imagededup import methods


def main(method: str, folder: str) -> None:
    """Hash a folder's files, and find duplicates."""
    hasher = getattr(methods, method)(verbose=False)
    start = time.perf_counter()
    hashes = hasher.encode_images(image_dir=folder)
    hashed = time.perf_counter()
    hasher.find_duplicates(encoding_map=hashes)
    over = time.perf_counter()
    found = re.search(r"^VmHWM:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    if found is None:
        raise LookupError("/proc/self/status tells no VmHWM")
    json.dump(
        {
            "hashes": hashes,
            "hash_seconds": hashed - start,
            "find_seconds": over - hashed,
            "peak_bytes": int(found[1]) * 1024,
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
