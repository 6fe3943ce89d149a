"""Vectors and similarity of images: how alike two pictures look.

For notebooks and programs; nothing is loaded before it is used:

    from image_similarity import Encoder, compare, pairs, similarity

    compare("cat.jpg", "other.jpg")                # 0 to 1: 1 is the same picture, 0.5 unrelated directions
    vectors = Encoder().embed(["cat.jpg", array])  # float32 [2, 512], of length 1
    similarity(vectors[0], vectors[1])
    pairs("holidays/")                             # copies in a folder, the most alike first

    catalogue = Catalogue("pictures.sqlite")       # an index of folders, which follows them
    catalogue.index("holidays/")                   # reads what is new or changed, drops what is gone
    catalogue.search("cat.jpg", limit=5)           # the most similar pictures, the best first
    catalogue.search(text="a red shirt")           # by words, with an encoder that has a text tower

The service behind the HTTP API is `image_similarity.inference`, the command line `image_similarity.cli`.
"""

from typing import TYPE_CHECKING, Any

from image_similarity.version import __version__

if TYPE_CHECKING:
    from image_similarity.alike import Pair
    from image_similarity.api import Encoder, UnreadableImage, compare, pairs, similarity
    from image_similarity.own_catalogue import Catalogue, Hit, Indexed

_CATALOGUE = ("Catalogue", "Hit", "Indexed")
__all__ = [
    "Catalogue",
    "Encoder",
    "Hit",
    "Indexed",
    "Pair",
    "UnreadableImage",
    "__version__",
    "compare",
    "pairs",
    "similarity",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - PEP 562: any of the names above
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from image_similarity import api, own_catalogue

    return getattr(own_catalogue if name in _CATALOGUE else api, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
