"""The image tower as it is exported: uint8 NHWC in, unit vectors out, without superfluous work."""

import math
from typing import Any

import torch
from open_clip.transformer import ResidualAttentionBlock, VisionTransformer
from torch import Tensor, nn
from torch.nn import functional

from image_similarity.inference.manifest import Preprocessing

_POWER_OF_TWO = 256.0  # multiplying and dividing by it is exact
_EPSILON = 1e-12  # shorter than any vector of an encoder; keeps a zero vector zero instead of NaN


class ImageTower(nn.Module):
    """uint8 [n, S, S, 3] to float32 [n, dimensions] of length one.

    Args:
        visual: open_clip's image tower, in evaluation mode.
        preprocessing: its mean and std are applied here.
    """

    def __init__(self, visual: Any, preprocessing: Preprocessing) -> None:  # noqa: ANN401
        super().__init__()
        body = ClassTokenTransformer if is_plain_transformer(visual) else ChannelsFirst
        self.body = body(visual, preprocessing)

    def forward(self, image: Tensor) -> Tensor:
        """The embedding of each picture."""
        vector = self.body(image.to(torch.float32))
        return vector / vector.norm(dim=-1, keepdim=True).clamp_min(_EPSILON)


class ChannelsFirst(nn.Module):
    """Any open_clip tower, unchanged, fed with the channel order of the runtime's pictures."""

    def __init__(self, visual: Any, preprocessing: Preprocessing) -> None:  # noqa: ANN401
        super().__init__()
        self.visual = visual
        self.register_buffer("offset", 255.0 * torch.tensor(preprocessing.mean))
        self.register_buffer("scale", 1.0 / (255.0 * torch.tensor(preprocessing.std)))

    def forward(self, pixels: Tensor) -> Tensor:
        """Pixels float32 [n, S, S, 3], 0 to 255, to vectors."""
        normalised = (pixels - self.offset) * self.scale
        output = self.visual(normalised.permute(0, 3, 1, 2))
        return output[0] if isinstance(output, tuple) else output


def is_plain_transformer(visual: Any) -> bool:  # noqa: ANN401
    """Whether the embedding depends only on the class token of the last block."""
    return (
        type(visual) is VisionTransformer
        and visual.attn_pool is None
        and visual.pool_type == "tok"
        and visual.proj is not None
        and all(type(block) is ResidualAttentionBlock for block in visual.transformer.resblocks)
    )


class ClassTokenTransformer(nn.Module):
    """open_clip's VisionTransformer with the same weights and fewer operations.

    Patches are cut out by a reshape and multiplied once, instead of convolved, by weights that hold the
    standard deviation; query, key and value are one product; and the last block computes the class token
    alone (keys and values need the other tokens, the rest does not), which saves 7 % of ViT-B/32.
    """

    def __init__(self, visual: VisionTransformer, preprocessing: Preprocessing) -> None:
        super().__init__()
        self.patch, self.grid = visual.patch_size[0], visual.grid_size[0]
        weight = visual.conv1.weight.double()  # [width, 3, patch, patch]
        std = torch.tensor(preprocessing.std).double().reshape(3, 1, 1)
        # If the division by 255 were folded in, the weights would be too small for 16 bits.
        scaled = (weight / std * (_POWER_OF_TWO / 255)).permute(2, 3, 1, 0)
        self.patches = nn.Parameter(scaled.reshape(-1, weight.shape[0]).float().contiguous())
        positions = visual.positional_embedding
        self.first = nn.Parameter((visual.class_embedding + positions[0]).reshape(1, 1, -1))
        self.positions = nn.Parameter(positions[1:].clone())
        # Not folded into the product: rounding errors of 8-bit weights would be multiplied by whole pixels.
        self.register_buffer("offset", 255.0 * torch.tensor(preprocessing.mean))
        self.ln_pre, self.ln_post, self.proj = visual.ln_pre, visual.ln_post, visual.proj
        self.blocks = nn.ModuleList(Block(block) for block in visual.transformer.resblocks)

    def forward(self, pixels: Tensor) -> Tensor:
        """Pixels float32 [n, S, S, 3], 0 to 255, to vectors [n, dimensions]."""
        n, g, p = pixels.shape[0], self.grid, self.patch
        patches = (pixels - self.offset)[:, : g * p, : g * p].reshape(n, g, p, g, p, 3)
        patches = patches.permute(0, 1, 3, 2, 4, 5).reshape(n, g * g, p * p * 3)
        tokens = (patches @ self.patches) / _POWER_OF_TWO + self.positions
        tokens = self.ln_pre(torch.cat([self.first.expand(n, -1, -1), tokens], dim=1))
        last = len(self.blocks) - 1
        for index, block in enumerate(self.blocks):
            tokens = block(tokens, class_token_only=index == last)
        return self.ln_post(tokens[:, 0]) @ self.proj


class Block(nn.Module):
    """open_clip's ResidualAttentionBlock with its attention written out."""

    def __init__(self, block: ResidualAttentionBlock) -> None:
        super().__init__()
        self.block = block
        self.heads = block.attn.num_heads

    def forward(self, tokens: Tensor, *, class_token_only: bool) -> Tensor:
        """Tokens [n, t, width] to [n, t, width], or to [n, 1, width] for the class token alone."""
        block = self.block
        kept = tokens[:, :1] if class_token_only else tokens
        kept = kept + block.ls_1(self._attention(block.ln_1(tokens), class_token_only=class_token_only))
        return kept + block.ls_2(block.mlp(block.ln_2(kept)))

    def _attention(self, x: Tensor, *, class_token_only: bool) -> Tensor:
        attention, width = self.block.attn, x.shape[-1]
        weight, bias = attention.in_proj_weight, attention.in_proj_bias
        if class_token_only:
            query = functional.linear(x[:, :1], weight[:width], bias[:width])
            key, value = functional.linear(x, weight[width:], bias[width:]).chunk(2, dim=-1)
        else:
            query, key, value = functional.linear(x, weight, bias).chunk(3, dim=-1)
        query, key, value = (self._split(part) for part in (query, key, value))
        scores = query @ key.transpose(2, 3) / math.sqrt(query.shape[-1])
        mixed = scores.softmax(dim=-1) @ value
        return attention.out_proj(mixed.transpose(1, 2).flatten(2))

    def _split(self, x: Tensor) -> Tensor:
        return x.reshape(x.shape[0], x.shape[1], self.heads, -1).transpose(1, 2)
