"""What a run says when it is ready."""

from dataclasses import dataclass
from pathlib import Path

from local.gateway.signatures import AccessKey
from local.stack import LocalStack
from local.template.resolve import ResolvedStack

NAMES = ("ImageSimilarity", "APIGatewayAuthorization", "Catalogue")
LAST = "Ctrl-C stops it."


@dataclass(frozen=True)
class Banner:
    """The lines for one stack.

    Attributes:
        stack: as resolved.
        origin: of the gateway.
        made: the key pair that was made for this run, if one was.
        logs: the folder of the backends' logs, as people may name it.
    """

    stack: ResolvedStack
    origin: str
    made: AccessKey | None
    logs: Path

    def text(self, local: LocalStack) -> str:
        """All lines."""
        parameters = self.stack.parameters
        off = {"Catalogue": "no"}
        chosen = [name for name in NAMES if parameters.get(name, "no") != off.get(name)]
        lines = [f"\nReady: {' '.join(f'{name}={parameters[name]}' for name in chosen)}"]
        lines += [f"  {name:<18}{url}" for name, url in local.urls(self.origin).items()]
        lines.append(f"  {'health':<18}{self.origin}/healthz")
        lines.append(f"  {'backend logs':<18}{self.logs}")
        lines += self._cloud(local)
        if self.made and parameters["APIGatewayAuthorization"] == "AWS_IAM":
            scope = f"aws:amz:{self.made.region}:execute-api"
            lines.append(f"Sign with this pair (curl --aws-sigv4 {scope} --user ID:SECRET):")
            lines.append(f"  AWS_ACCESS_KEY_ID={self.made.key_id}")
            lines.append(f"  AWS_SECRET_ACCESS_KEY={self.made.secret}")
        return "\n".join([*lines, LAST])

    def _cloud(self, local: LocalStack) -> list[str]:
        if local.catalogue is None:
            return []
        cloud, bucket = local.catalogue.cloud, local.catalogue.buckets[0]
        keys = "AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any"
        usage = f"{keys} aws --endpoint-url {cloud.url} --region {cloud.region}"
        return [f"{'S3':<20}{cloud.url}", f"  {'a new picture':<18}{usage} s3 cp PICTURE s3://{bucket}/"]
