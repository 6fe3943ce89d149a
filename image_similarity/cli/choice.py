"""Which picture of a group to keep, and why."""

from collections.abc import Mapping

from image_similarity.cli.faces import Face

AS_SHARP = 0.5
"""Of the sharpest one: what has so much of it counts as as sharp. Text, light, contrast and compression
change less; a blur that can be seen changes more."""
AS_FULL = 0.5
"""Of the bytes of the largest file: what has so many counts as compressed as little. Metadata and a better
packing of the same pixels change less; a JPEG that was saved again for a messenger has lost more."""


def keep(faces: Mapping[str, Face]) -> tuple[str, str]:
    """The largest; of those the sharpest, the least compressed, the oldest, the first by name.

    Args:
        faces: of the group's pictures by name, at least one.

    Returns:
        The picture's name, and why it is this one.
    """
    most = max(face.pixels for face in faces.values())
    largest = {name: face for name, face in faces.items() if face.pixels == most}
    best = max(face.sharpness for face in largest.values())
    sharpest = {name: face for name, face in largest.items() if face.sharpness >= AS_SHARP * best}
    most_bytes = max(face.size for face in sharpest.values())
    fullest = {name: face for name, face in sharpest.items() if face.size >= AS_FULL * most_bytes}
    oldest = min(face.modified for face in fullest.values())
    name = min(name for name, face in fullest.items() if face.modified == oldest)
    if len(largest) == 1:
        return name, "the largest"
    if len(sharpest) == 1:
        return name, "the sharpest of the largest" if len(largest) < len(faces) else "the sharpest"
    if len(fullest) == 1:
        return name, "the least compressed of those as large and as sharp"
    if sum(face.modified == oldest for face in fullest.values()) == 1:
        return name, "the oldest of those as large and as sharp"
    return name, "the first by name: they are otherwise the same"
