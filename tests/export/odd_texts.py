"""Texts as people and programs write them, made of seeded parts: words, marks, entities, other scripts."""

from collections.abc import Iterator, Sequence
from random import Random

PARTS = (
    *("cat", "red shirt", "Two dogs", "it's", "DON'T", "we'll", "they've", "I'd", "'S", "mountain-hut"),
    *("aaaaaaa", "antidisestablishmentarianism", "x", "3rd", "1984", "½", "9.99", "\u0661\u0662\u0663"),
    *("!!!???", "#$%^", "...", "--", "(a_b)", "C++", "@user", "e-mail@example.com", "\\n", '"', "~~~"),
    *("&amp;", "&amp;amp;", "&lt;b&gt;", "&nbsp;", "&#128512;", "&#x41;", "&eacute;", "&bogus;", "&amp"),
    *("🙂", "👩\u200d👩\u200d👧", "🏳️\u200d🌈", "🇩🇪", "👍🏽", "❤️", "😂😂😂😂", "🐱"),
    *("漢字", "一只红色的鸟", "日本語のテキスト", "カタカナ", "한국어", "\u1112\u1161\u11ab", "ไทย", "हिन्दी"),
    *("שלום", "مرحبا", "привет", "Ελλάδα", "Việt", "straße", "İstanbul", "\u017fhip", "'\u017f", "ŒUVRE"),
    *("\u00e9", "e\u0301", "\ufb01ne", "\uff21\uff22\uff43", "\u2018a\u2019", "\u201cb\u201d", "\u2026"),
    *("schÃ¶n", "â€œquoteâ€\u009d", "Ã©tÃ©", "\x1b[31mred\x1b[0m", "\ud83d", "\ud83d\ude00", "\ufffd"),
    *("<end_of_text>", "<START_OF_TEXT>", "<start_of_text", "</w>", "\u0130", "\u1e9e"),
)
SPACES = ("", " ", "  ", "\t", "\n", "\r\n", "\u00a0", "\u3000", "\u200b", "\u2028", "\u0085", "\ufeff", "\0")
PLANE = 0x10000
RANGES = (
    (0x20, 0x7F),
    (0x80, 0x250),
    (0x250, 0x3000),
    (0x3000, 0xD800),
    (0xE000, PLANE),
    (PLANE, 17 * PLANE),
)


def odd_texts(count: int, seed: int, words: Sequence[str]) -> Iterator[str]:
    """So many texts of 0 to 14 parts, a third of them words of a vocabulary."""
    chance = Random(seed)
    for _ in range(count):
        parts = (_part(chance, words) + chance.choice(SPACES) for _ in range(chance.randrange(15)))
        yield "".join(parts)


def _part(chance: Random, words: Sequence[str]) -> str:
    kind = chance.randrange(3)
    if kind < 2:
        return chance.choice((PARTS, words)[kind])
    start, stop = chance.choice(RANGES)
    return "".join(chr(chance.randrange(start, stop)) for _ in range(chance.randrange(1, 7)))
