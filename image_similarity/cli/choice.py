"""Which picture of a group to keep, and why."""

from collections.abc import Mapping

from image_similarity.cli.faces import Face

AS_SHARP = 0.5
"""Of the sharpest one: what has so much of it counts as as sharp. Text, light, contrast and compression
change less; a blur that can be seen changes more."""


def keep(faces: Mapping[str, Face]) -> tuple[str, str]:
    """The largest; of those the sharpest; of those the oldest; of those the first by name.

    Args:
        faces: of the group's pictures by name, at least one.

    Returns:
        The picture's name, and why it is this one.
    """
    most = max(face.pixels for face in faces.values())
    largest = {name: face for name, face in faces.items() if face.pixels == most}
    best = max(face.sharpness for face in largest.values())
    sharpest = {name: face for name, face in largest.items() if face.sharpness >= AS_SHARP * best}
    oldest = min(face.modified for face in sharpest.values())
    name = min(name for name, face in sharpest.items() if face.modified == oldest)
    if len(largest) == 1:
        return name, "the largest"
    if len(sharpest) == 1:
        return name, "the sharpest of the largest" if len(largest) < len(faces) else "the sharpest"
    if sum(face.modified == oldest for face in sharpest.values()) == 1:
        return name, "the oldest of those as large and as sharp"
    return name, "the first by name: they are otherwise the same"
