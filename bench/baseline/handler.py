"""The hand-written baseline: what a good engineer would write on the first day, with torch and open_clip.

The whole open_clip model as its README loads it, Pillow, one forward pass per picture, no gradients. It
answers the same two shapes of request; errors, limits and URLs are left out.
"""

import base64
import io
import json
import os
from typing import Any

import torch

from image_similarity.inference.export.torchvision_shim import import_torchvision

import_torchvision()

import open_clip  # noqa: E402
from PIL import Image  # noqa: E402

torch.set_num_threads(int(os.environ.get("THREADS", "1")))
model, _, preprocess = open_clip.create_model_and_transforms("ViT-B-32", pretrained=os.environ["CHECKPOINT"])
model.eval()


def embed(data: str) -> torch.Tensor:
    """The unit vector [512] of one base64 picture."""
    image = Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")
    with torch.inference_mode():
        features = model.encode_image(preprocess(image).unsqueeze(0))
        return (features / features.norm(dim=-1, keepdim=True))[0]


def answer(body: str | bytes) -> dict[str, Any]:
    """The JSON answer to a JSON request."""
    request = json.loads(body)
    if "img" in request:
        return {"result": embed(request["img"]).tolist()}
    cosine = float(embed(request["img_1"]) @ embed(request["img_2"]))
    return {"similarity": (1 + cosine) / 2}


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """The Lambda entry."""
    return {"statusCode": 200, "body": json.dumps(answer(event["body"]))}
