"""Where stacks are verified on this machine: an account, a port, backends, pictures on the web."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from local.backends.cloud.server import CloudServer
from local.backends.emulator import emulator, supported
from local.synthesis import Assembly
from tests.infrastructure.account import LOG_KEYS, WEB_ACLS, account
from tests.infrastructure.stack import assembled
from tests.infrastructure.walks import TOGETHER
from tests.support.world import World, running_world
from tests.verification.catalogue import BUCKET, OTHER_BUCKET, with_services
from tests.verification.cloud import EngineCloud, Quirks
from tests.verification.gateway import Server
from tests.verification.pools import ROOT, Pools
from verify.facts import CloudFailed

CACHE = ROOT / ".cache"
SUPPLIED: Mapping[str, str] = {
    "WebAclArn": WEB_ACLS[0],
    "OtherWebAclArn": WEB_ACLS[1],
    "KmsKeyArn": LOG_KEYS[0],
    "AlarmTopicArn": "arn:aws:sns:us-east-1:123456789012:alarms",
    "CatalogueBucket": BUCKET,
    "OtherCatalogueBucket": OTHER_BUCKET,
    **TOGETHER[0],
}
"""What the account has of what rows need."""
PASSED = ("HOME", "LANG", "PATH", "TMPDIR")


@dataclass(frozen=True)
class Place:
    """One for all stacks; they come one after the other."""

    server: Server
    pools: Pools
    world: World
    assembly: Assembly
    services: CloudServer

    @property
    def picture(self) -> str:
        return f"{self.world.files_url}/chelsea.jpg"

    @contextmanager
    def stack(
        self,
        parameters: Mapping[str, str],
        template: Mapping[str, Any] | None = None,
        assembly: Assembly | None = None,
        quirks: Quirks | None = None,
    ) -> Iterator[EngineCloud]:
        """A new account with a stack in it. Raises CloudFailed where it can't be deployed."""
        chosen = assembly or self.assembly
        with account(chosen) as bootstrapped:
            engine, body = bootstrapped.engine, template or chosen.template
            with_services(engine.cloud, self.services)
            outcome = engine.deploy(body, parameters)
            if outcome.status != "CREATE_COMPLETE":
                raise CloudFailed(f"{outcome.status}: {outcome.reason}")
            yield EngineCloud(engine, body, chosen, server=self.server, pools=self.pools, quirks=quirks)


@contextmanager
def place(logs: Path, say: Callable[[str], None] = print) -> Iterator[Place]:
    """Everything that is started for it, until the block ends."""
    with ExitStack() as closing:
        shutil.rmtree(logs, ignore_errors=True)
        logs.mkdir(parents=True)
        world = closing.enter_context(running_world())
        services = closing.enter_context(CloudServer())
        environment = {
            **{name: value for name, value in os.environ.items() if name in PASSED},
            **world.environment,
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": services.url,
            "CATALOGUE_PACE_SECONDS": "0",  # the queue counts exactly here
            "MODEL_DIR": str(ROOT / "image_similarity" / "models" / "embedded"),
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
        }
        del environment["IMAGE_BUCKETS"]
        pools = Pools(emulator(CACHE, say) if supported() else None, environment, logs)
        closing.callback(pools.stop)
        server = Server()
        closing.callback(server.stop)
        yield Place(server, pools, world, assembled(model="embedded"), services)


def written_by(assembly: Assembly, outputs: tuple[str, ...]) -> Assembly:
    """The assembly with images that a builder wrote by other outputs."""
    return replace(assembly, images=tuple(replace(image, outputs=outputs) for image in assembly.images))
