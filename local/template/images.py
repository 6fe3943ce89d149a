"""What an image asset is when `cdk deploy` has built and pushed it: the media type of its manifest.

The CDK command line runs `docker build --tag T --output=O ... .` and then `docker push`, so an output that
leaves no tagged image in the engine's store fails the deployment.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from local.template.intrinsics import Json

DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
OCI = "application/vnd.oci.image.manifest.v1+json"


class NotPushable(ValueError):
    """A build output that leaves `docker push` no image to push."""


@dataclass(frozen=True)
class ImageAsset:
    """An image of the cloud assembly: its destination's repository and tag, as the manifest has them."""

    repository: str
    tag: str
    outputs: tuple[str, ...]

    @property
    def manifest_type(self) -> str:
        """The media type that BuildKit 0.31 and newer (Engine 29.6) write. Raises NotPushable.

        From 0.31 on OCI types are the default of every exporter (https://github.com/moby/buildkit/pull/6824),
        of type=docker too (https://github.com/moby/buildkit/pull/6844), for the containerd image store that
        a new engine has. Only oci-mediatypes=false asks for Docker's types.
        """
        fields = [_fields(output) for output in self.outputs or ("type=image",)]
        loaded = [
            given for given in fields if given.get("type") in ("docker", "image") and "dest" not in given
        ]
        if not loaded:
            raise NotPushable(f"--output={self.outputs} leaves no image that docker push finds.")
        # Which of several outputs gets the tag is up to the builder, so all of them must be of one kind.
        return DOCKER if all(given.get("oci-mediatypes") == "false" for given in loaded) else OCI


def image_assets(manifest: Mapping[str, Json]) -> list[ImageAsset]:
    """The images of an asset manifest (*.assets.json)."""
    return [
        ImageAsset(
            destination["repositoryName"],
            destination["imageTag"],
            tuple(asset["source"].get("dockerOutputs", ())),
        )
        for asset in manifest.get("dockerImages", {}).values()
        for destination in asset["destinations"].values()
    ]


def _fields(output: str) -> dict[str, str]:
    return dict(field.partition("=")[::2] for field in output.split(","))
