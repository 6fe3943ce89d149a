"""The bootstrap's image repository after `cdk deploy` has pushed what it built."""

import json
import re

from local.synthesis import Assembly
from local.template.identifiers import PseudoParameters
from tests.cloudformation.providers import Cloud


def push(cloud: Cloud, assembly: Assembly, pseudo: PseudoParameters) -> None:
    """Push the assembly's images to the bootstrap's repository, as a builder of today makes them.

    Tags that the repository has are skipped, as the CDK skips them.
    """
    client, values = cloud.client("ecr"), {"AWS::AccountId": pseudo.account, "AWS::Region": pseudo.region}
    for image in assembly.images:
        repository = re.sub(r"\$\{([\w:]+)\}", lambda match: values[match[1]], image.repository)
        if not client.describe_repositories()["repositories"]:
            client.create_repository(repositoryName=repository)
        listed = client.list_images(repositoryName=repository)["imageIds"]
        if image.tag in {item["imageTag"] for item in listed}:
            continue
        kind = image.manifest_type
        manifest = json.dumps({"schemaVersion": 2, "mediaType": kind, "annotations": {"of": image.tag}})
        client.put_image(
            repositoryName=repository,
            imageManifest=manifest,
            imageManifestMediaType=kind,
            imageTag=image.tag,
        )
