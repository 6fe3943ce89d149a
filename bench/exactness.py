"""How exact each artifact is on photographs: cosine between our request path and open_clip's own pipeline.

Runs in .venv-export: python -m bench.exactness [--images DIR]. Prints a Markdown table.
"""

import argparse
import logging
from pathlib import Path

import numpy as np

from image_similarity.inference.encoder import OnnxEncoder
from image_similarity.inference.errors import ApiError
from image_similarity.inference.export import checkpoint, parity
from image_similarity.inference.image import decode

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "bench"
ARTIFACTS = [
    ("embedded, fp16 (real weights)", ("embedded", None), ROOT / "image_similarity" / "models" / "embedded"),
    ("ViT-B/32, fp16 (random weights)", ("ViT-B-32", "random"), CACHE / "vit-b-32-fp16"),
    ("ViT-B/32, int8 (random weights)", ("ViT-B-32", "random"), CACHE / "vit-b-32-int8"),
]


def main() -> None:
    """One row for each artifact."""
    parser = argparse.ArgumentParser(prog="python -m bench.exactness", description=__doc__)
    parser.add_argument("--images", type=Path, action="append", default=[], help="more photographs")
    logging.getLogger().setLevel(logging.ERROR)
    folders = [parity.PICTURES, *parser.parse_args().images]
    files = sorted(p for folder in folders for p in folder.iterdir() if p.suffix.lower() in {".jpg", ".jpeg"})
    print("| artifact | photographs | lowest cosine | 5 % are below | mean | under 0.999 |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, (model, pretrained), directory in ARTIFACTS:
        encoder = OnnxEncoder(directory, threads=2)
        usable = [file for file in files if _accepted(file, encoder)]
        cosines = parity.measure(checkpoint.load(model, pretrained), encoder, usable).cosines
        low = np.percentile(cosines, 5)
        print(
            f"| {name} | {len(cosines)} | {cosines.min():.6f} | {low:.6f} | {cosines.mean():.6f} "
            f"| {(cosines < 0.999).sum()} |"
        )


def _accepted(file: Path, encoder: OnnxEncoder) -> bool:
    try:
        decode(file.read_bytes(), field=file.name, preprocessing=encoder.manifest.preprocessing)
    except ApiError:
        return False  # over 4096 pixels: the API refuses it, so there is nothing to compare
    return True


if __name__ == "__main__":
    main()
