"""Makes a CLIP directory for infinity-emb: ViT-B/32 with seeded random weights. Runs in .venv-infinity."""

import json
import sys
from pathlib import Path

import torch
from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPTokenizer

START, END = "<|startoftext|>", "<|endoftext|>"


def main(directory: Path) -> None:
    """Writes model, image processor and a tokenizer of letters, which pictures never use."""
    directory.mkdir(parents=True, exist_ok=True)
    letters = [chr(code) for code in range(33, 127)]
    words = [*letters, *(f"{letter}</w>" for letter in letters), START, END]
    (directory / "vocab.json").write_text(json.dumps({word: index for index, word in enumerate(words)}))
    (directory / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = CLIPTokenizer(str(directory / "vocab.json"), str(directory / "merges.txt"))
    tokenizer.save_pretrained(directory)
    torch.manual_seed(0)
    config = CLIPConfig(projection_dim=512)  # the defaults are ViT-B/32
    config.text_config.vocab_size = len(words)
    CLIPModel(config).save_pretrained(directory)
    CLIPImageProcessor().save_pretrained(directory)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
