"""Texts to token ids: CLIP's byte-pair encoding, whose merges the exporter writes beside the text tower.

The ids are those of open_clip's SimpleTokenizer. Texts are cleaned by the same libraries: what ftfy mends and
what `regex` takes for a letter is theirs to say, and can't be copied in a few lines.
Radford and others, "Learning Transferable Visual Models From Natural Language Supervision", 2021, 2.4;
Sennrich, Haddow and Birch, "Neural Machine Translation of Rare Words with Subword Units", 2016.
"""

import html
from collections.abc import Iterator, Sequence
from itertools import pairwise

import ftfy
import regex

START, END = "<start_of_text>", "<end_of_text>"
WORD_END = "</w>"
"""What the last token of a word ends with: `art` at the end of `cart` is another token than in `artist`."""
WORDS = regex.compile(
    rf"{START}|{END}|'s|'t|'re|'ve|'m|'ll|'d|[\p{{L}}]+|[\p{{N}}]|[^\s\p{{L}}\p{{N}}]+", regex.IGNORECASE
)
PRINTABLE = (*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1))
"""The bytes whose Latin-1 character stands for them in the merges; the others have letters from U+0100 on."""


class Tokenizer:
    """Texts to ids. Any number of threads may call it.

    Args:
        merges: pairs of tokens, "left right", in the order in which they are joined.
    """

    def __init__(self, merges: Sequence[str]) -> None:
        self._letters = _letters()
        pairs = [(left, right) for left, _, right in (merge.partition(" ") for merge in merges)]
        self._ranks = {pair: rank for rank, pair in enumerate(pairs)}
        single = [chr(code) for code in PRINTABLE] + [chr(256 + n) for n in range(256 - len(PRINTABLE))]
        tokens = [*single, *(one + WORD_END for one in single), *map("".join, pairs), START, END]
        self._ids = {token: number for number, token in enumerate(tokens)}
        self.start, self.end = self._ids[START], self._ids[END]

    def ids(self, text: str) -> list[int]:
        """The ids of a text, between the marks of its start and its end."""
        words = WORDS.findall(clean(text))
        return [self.start, *(number for word in words for number in self._word(word)), self.end]

    def _word(self, word: str) -> Iterator[int]:
        if word in (START, END):
            return iter([self._ids[word]])
        parts = [self._letters[byte] for byte in word.encode()]
        parts[-1] += WORD_END
        return (self._ids[part] for part in self._joined(parts))

    def _joined(self, parts: list[str]) -> list[str]:
        """Join the pair that comes first in the merges, wherever it stands, until none is left."""
        never = len(self._ranks)
        while len(parts) > 1:
            ranks = [self._ranks.get(pair, never) for pair in pairwise(parts)]
            first = min(ranks)
            if first == never:
                break
            joined: list[str] = []
            position = 0
            while position < len(parts):
                # A pair that overlaps the one before it is none any more: "aaa" is "aa a".
                pair = position < len(ranks) and ranks[position] == first
                joined.append("".join(parts[position : position + 2]) if pair else parts[position])
                position += 2 if pair else 1
            parts = joined
        return parts


def clean(text: str) -> str:
    """The text as CLIP was trained on it: mended, without HTML entities and odd spaces, in lower case."""
    unescaped = html.unescape(html.unescape(ftfy.fix_text(text)))
    return " ".join(unescaped.split()).lower()


def _letters() -> list[str]:
    """The character that stands for each byte in the merges."""
    others = (chr(256 + number) for number in range(256 - len(PRINTABLE)))
    printable = set(PRINTABLE)
    return [chr(byte) if byte in printable else next(others) for byte in range(256)]
