"""The name of the index: each model has its own, so that vectors of two models never mix.

All of an index but its tags is fixed when it is made, and CloudFormation replaces it by one of another name
alone; so whatever changes vectors is in the name.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-vectors-indexes.html
"""

import hashlib
import json
import re
from collections.abc import Mapping

from cdk_app import images
from cdk_app.config import ROOT
from supply_chain.pins import Pins, Weights

VECTORS = 1
"""Incremented with every change to exporter or preprocessing that changes pictures' vectors."""
LONGEST = 63
HASH_LENGTH = 8


def index_name(flags: Mapping[str, str], pins: Pins) -> str:
    """The model's name in the letters that S3 Vectors takes (a-z, 0-9, dot, dash), and a hash of the rest.

    Args:
        flags: those of the model: `model`, `pretrained`, `precision`.
        pins: its weights, where they are pinned.

    Returns:
        At most 63 characters, such as `vit-b-32-0a1b2c3d`.
    """
    of = {**{name: flags[name] for name in ("model", "pretrained", "precision")}, "vectors": VECTORS}
    if flags["model"] == "embedded":
        manifest = images.embedded_manifest()
        facts = {name: manifest[name] for name in ("sha256", "weights_sha256", "preprocessing")}
        of |= {"pretrained": manifest["pretrained"], **facts}
    else:
        weights = pins.weights.get(f"{flags['model']}/{flags['pretrained']}")
        of |= {"weights_sha256": weights.sha256 if weights else None, **_own_preprocessing(weights)}
        if flags["precision"] == "int8":
            of |= {"int8": weights.int8 if weights else None}
    digest = hashlib.sha256(json.dumps(of, sort_keys=True).encode()).hexdigest()[:HASH_LENGTH]
    readable = re.sub(r"[^a-z0-9]+", "-", flags["model"].lower()).strip("-")
    return f"{readable[: LONGEST - HASH_LENGTH - 1].strip('-')}-{digest}"


def _own_preprocessing(weights: Weights | None) -> dict[str, str]:
    """The hash of the file beside your own checkpoint, from which the build takes its preprocessing."""
    if weights is None or weights.file is None:
        return {}
    file = (ROOT / "checkpoints" / weights.file).with_suffix(".json")
    return {"preprocessing": hashlib.sha256(file.read_bytes()).hexdigest()} if file.is_file() else {}
