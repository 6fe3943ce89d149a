"""`python -m tests.export.seeded FOLDER`: encoders with seeded weights whose pictures lie far apart.

Plain random weights give all pictures nearly the same vector, so that any artifact would pass.

sscd_disc_mixup.torchscript.pt: the shape of SSCD's, a ResNet-50 with generalised-mean pooling, a projection
to 512 dimensions and L2, traced. vit.pt: open_clip's ViT-B-32 with outlier channels. neighbours.pt: vectors
that depend on the other pictures of a batch. constant.pt, double.pt, whole.pt, unknown.pt, raising.pt: one
vector for all pictures, numbers of other types, an operator that ONNX has none for, an error on any picture
that is not grey.
"""

import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from image_similarity.inference.export.torchvision_shim import import_torchvision

import_torchvision()

import open_clip  # noqa: E402
from PIL import Image  # noqa: E402
from torchvision import transforms  # noqa: E402
from torchvision.models import resnet50  # noqa: E402
from torchvision.models.resnet import Bottleneck  # noqa: E402

PICTURES = Path("image_similarity/inference/export/pictures")
OUTLIERS, TIMES = 6, 60


class GeneralisedMean(nn.Module):  # type: ignore[misc]
    """Of each channel over all places, with the exponent 3."""

    def forward(self, features: Tensor) -> Tensor:
        return features.clamp(min=1e-6).pow(3.0).flatten(2).mean(dim=-1).pow(1 / 3)


class Descriptor(nn.Module):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.backbone = resnet50(num_classes=512)
        self.backbone.avgpool = GeneralisedMean()

    def forward(self, pictures: Tensor) -> Tensor:
        return functional.normalize(self.backbone(pictures))


def resnet() -> Any:
    """Batch norms know the bundled pictures, and the projection subtracts their mean."""
    torch.manual_seed(0)
    model = Descriptor().train()
    for module in model.modules():
        if isinstance(module, Bottleneck):
            nn.init.constant_(module.bn3.weight, 0.25)  # as smooth as a trained one: errors do not explode
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None
    prepare = transforms.Compose(
        [
            transforms.Resize([320, 320]),
            transforms.ToTensor(),
            transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ]
    )
    pictures = torch.stack(
        [prepare(Image.open(file).convert("RGB")) for file in sorted(PICTURES.glob("*.jpg"))]
    )
    pooled: list[Tensor] = []
    model.backbone.fc.register_forward_pre_hook(lambda _, inputs: pooled.append(inputs[0]))
    with torch.no_grad():
        model(pictures)
        model.eval()(pictures)
        model.backbone.fc.bias.copy_(-(pooled[1].mean(0) @ model.backbone.fc.weight.T))
        return torch.jit.trace(model, pictures[:1])


def vit() -> Any:
    """Outlier channels as LLM.int8() and SmoothQuant describe them, in what goes into attention and MLP.

    The same few channels in each block are 60 times the others; the weights behind them are divided by as
    much, so that float vectors stay those of the seed, and only the 8-bit grid is spoilt.
    """
    torch.manual_seed(0)
    model = open_clip.create_model("ViT-B-32")
    channels = torch.randperm(768, generator=torch.Generator().manual_seed(0))[:OUTLIERS]
    with torch.no_grad():
        for block in model.visual.transformer.resblocks:
            for norm, weights in (
                (block.ln_1, block.attn.in_proj_weight),
                (block.ln_2, block.mlp.c_fc.weight),
            ):
                norm.weight[channels] *= TIMES
                norm.bias[channels] *= TIMES
                weights[:, channels] /= TIMES
    return model.state_dict()


class Neighbours(nn.Module):  # type: ignore[misc]
    """Adds the mean of the batch to each vector."""

    def forward(self, pictures: Tensor) -> Tensor:
        vectors = pictures.flatten(1)[:, :512]
        return vectors + vectors.mean(0)


class Constant(Neighbours):
    def forward(self, pictures: Tensor) -> Tensor:
        return pictures.flatten(1)[:, :512] * 0 + torch.arange(512).float()


class Double(Neighbours):
    def forward(self, pictures: Tensor) -> Tensor:
        return pictures.flatten(1)[:, :512].double()


class Whole(Neighbours):
    def forward(self, pictures: Tensor) -> Tensor:
        return (pictures.flatten(1)[:, :512] * 100).long()


class Unknown(Neighbours):
    def forward(self, pictures: Tensor) -> Tensor:
        return torch.linalg.svdvals(pictures[:, 0, :8, :8]).repeat(1, 64)


class Raising(Neighbours):
    def forward(self, pictures: Tensor) -> Tensor:
        if bool((pictures != 0).any()):
            raise ValueError("a picture that is not grey")
        return pictures.flatten(1)[:, :512]


def broken(folder: Path) -> None:
    """Files that are no encoders, or that no gate can check."""
    for kind in (Constant, Double, Whole, Unknown, Raising):
        torch.jit.save(torch.jit.script(kind()), str(folder / f"{kind.__name__.lower()}.pt"))


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    torch.jit.save(torch.jit.trace(Neighbours(), torch.zeros(1, 3, 32, 32)), str(folder / "neighbours.pt"))
    torch.jit.save(resnet(), str(folder / "sscd_disc_mixup.torchscript.pt"))
    torch.save(vit(), str(folder / "vit.pt"))
    broken(folder)
