"""The text tower as it is exported: the ids of one text in, its unit vector out."""

import math
from typing import Any

import open_clip
import torch
from open_clip.tokenizer import SimpleTokenizer, _clean_lower
from open_clip.transformer import ResidualAttentionBlock, TextTransformer
from torch import Tensor, nn
from torch.nn import functional

_EPSILON = 1e-12  # as in the image tower
_TOKEN_SPREAD, _ATTENTION_SPREAD = 0.4, 2.0


def part(clip: Any) -> Any:  # noqa: ANN401
    """What of an open_clip model has its text transformer: a part of its own, or the model itself."""
    return getattr(clip, "text", clip)


def hub(model: str) -> str | None:
    """Where the text tower or the tokenizer of an open_clip model comes from, if not from open_clip."""
    settings: dict[str, Any] = open_clip.get_model_config(model)["text_cfg"]
    name: str | None = settings.get("hf_model_name") or settings.get("hf_tokenizer_name")
    return name


def obstacle(model: str, clip: Any) -> str | None:  # noqa: ANN401
    """Why the text tower of an open_clip model can't be exported; None where it can."""
    if source := hub(model):
        return f"its tokenizer, {source}, comes from a model hub"
    tokenizer = open_clip.get_tokenizer(model)
    plain = type(tokenizer) is SimpleTokenizer and tokenizer.clean_fn is _clean_lower
    if not plain or tokenizer.reduction_fn is not None or len(tokenizer.all_special_ids) != 2:
        return "its tokenizer is not CLIP's"
    tower = part(clip)
    if tower is not clip and type(tower) is not TextTransformer:
        return f"its text tower is a {type(tower).__name__}"
    if getattr(tower, "cls_emb", None) is not None or getattr(tower, "use_pad_mask", False):
        return "its text tower has a class token or masks what is filled up"
    pool, blocks = clip.text_pool_type if tower is clip else tower.pool_type, tower.transformer.resblocks
    if pool != "argmax" or any(type(block) is not ResidualAttentionBlock for block in blocks):
        return "its text tower is not CLIP's"
    return None


class TextTower(nn.Module):
    """int64 [1, t] to float32 [1, 512] of length one, with open_clip's weights.

    The embedding of the tokens is stored as float16, and only the rows of a text become float32: it has as
    many numbers as the rest of the tower. Where each token sees only those before it, the tower computes
    as many places as the text has tokens, and not all 77.
    """

    def __init__(self, clip: Any) -> None:  # noqa: ANN401
        super().__init__()
        source = part(clip)
        self.register_buffer("known_tokens", source.token_embedding.weight.detach().half())
        self.positions = source.positional_embedding
        self.context_length = source.positional_embedding.shape[0]
        self.causal = source.attn_mask is not None
        mask = source.attn_mask if self.causal else torch.zeros(self.context_length, self.context_length)
        self.register_buffer("mask", mask.clone())
        self.blocks = nn.ModuleList(Block(block) for block in source.transformer.resblocks)
        self.ln_final, self.projection = source.ln_final, source.text_projection

    def forward(self, tokens: Tensor) -> Tensor:
        """The vector at the place of the mark of the end, whose id is the highest of all."""
        length = tokens.shape[1]
        rows = self.known_tokens.index_select(0, tokens[0]).float() + self.positions[:length]
        rows = rows.unsqueeze(0)
        mask = self.mask[:length, :length]
        for block in self.blocks:
            rows = block(rows, mask)
        end = self.ln_final(rows)[0, tokens[0].argmax(dim=-1)].unsqueeze(0)
        if self.projection is not None:
            end = self.projection(end) if isinstance(self.projection, nn.Linear) else end @ self.projection
        return end / end.norm(dim=-1, keepdim=True).clamp_min(_EPSILON)


class Block(nn.Module):
    """open_clip's ResidualAttentionBlock with its attention written out."""

    def __init__(self, block: ResidualAttentionBlock) -> None:
        super().__init__()
        self.block, self.heads = block, block.attn.num_heads

    def forward(self, rows: Tensor, mask: Tensor) -> Tensor:
        """Rows [1, t, width] to the same; the mask [t, t] is added to the scores."""
        block = self.block
        rows = rows + block.ls_1(self._attention(block.ln_1(rows), mask))
        return rows + block.ls_2(block.mlp(block.ln_2(rows)))

    def _attention(self, x: Tensor, mask: Tensor) -> Tensor:
        attention = self.block.attn
        joint = functional.linear(x, attention.in_proj_weight, attention.in_proj_bias)
        query, key, value = (self._split(one) for one in joint.chunk(3, dim=-1))
        scores = query @ key.transpose(2, 3) / math.sqrt(query.shape[-1]) + mask
        return attention.out_proj((scores.softmax(dim=-1) @ value).transpose(1, 2).flatten(2))

    def _split(self, x: Tensor) -> Tensor:
        return x.reshape(x.shape[0], x.shape[1], self.heads, -1).transpose(1, 2)


def tell_tokens_apart(clip: Any) -> None:  # noqa: ANN401
    """Spread random weights, where the tower is CLIP's, so that a vector depends on each token of its text.

    As open_clip starts a training, all texts have nearly one vector: tokens are close to each other, and each
    weighs about the same in the mark of the end. A wrong token leaves a cosine of up to 0.9993 (of
    MobileCLIP-S1, whose texts are filled up to 77), near the limit of the gate; with these it is 0.94 at
    most, and what float16 costs is below 0.00002. Attention twice as sharp again would multiply
    rounding errors too: 0.92 of MobileCLIP-S1.
    """
    tower = part(clip)
    if not hasattr(tower, "token_embedding"):  # of another library
        return
    with torch.no_grad():
        tower.token_embedding.weight.normal_(std=_TOKEN_SPREAD)
        for block in tower.transformer.resblocks:
            block.attn.in_proj_weight.mul_(_ATTENTION_SPREAD)
            block.attn.out_proj.weight.mul_(_ATTENTION_SPREAD)
