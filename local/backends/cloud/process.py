"""The local cloud in a process of its own, which ends with this one."""

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local.backends.functions import BackendFailed
from local.backends.processes import Process, free_port, listens

START_SECONDS = 60.0
HOST = "127.0.0.1"
KEPT = ("HOME", "LANG", "PATH", "PYTHONPATH", "PYTHONUNBUFFERED", "TMPDIR")
KEY = "local"
ALONE = {"profile": None, "config_file": os.devnull, "credentials_file": os.devnull}
"""Settings of botocore that our own clients take from no file and no variable of whoever runs this."""
Client = Any  # boto3's


class CloudProcess:
    """Amazon S3, EventBridge, SQS, DynamoDB and S3 Vectors of one region.

    Attributes:
        region: of the resources.
        url: the endpoint, which takes any credentials.
    """

    def __init__(self, root: Path, region: str, port: int) -> None:
        self.region = region
        self._root = root
        self._port = free_port(port)
        self._process: Process | None = None
        self.url = f"http://{HOST}:{self._port}"

    def start(self, environment: Mapping[str, str], log: Path) -> None:
        """Start the process; `wait` waits for it."""
        kept = {name: value for name, value in environment.items() if name in KEPT}
        command = [sys.executable, "-m", "local.backends.cloud", str(self._port)]
        self._process = Process(command, environment=kept, directory=self._root, log=log)

    def wait(self) -> None:
        """Wait until it listens. Raises BackendFailed with the end of its log."""
        deadline = time.monotonic() + START_SECONDS
        process = self._process
        while process and process.running and time.monotonic() < deadline:
            if listens(self._port):
                return
            time.sleep(0.02)
        raise BackendFailed(f"The local cloud does not start:\n{process.tail() if process else ''}")

    @property
    def variables(self) -> dict[str, str]:
        """The environment of a process that finds its AWS here, and nowhere else."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": KEY,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            # Whoever runs this may have other endpoints and accounts in these files.
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def client(self, service: str) -> Client:
        """A client of boto3 for one of its services, which tries once."""
        import boto3
        import botocore.session
        from botocore.config import Config

        config = Config(
            connect_timeout=5,
            read_timeout=60,
            retries={"total_max_attempts": 1},
            proxies={},
            max_pool_connections=32,
            s3={"addressing_style": "path"},
            use_dualstack_endpoint=False,
            use_fips_endpoint=False,
        )
        alone = {name: (None, None, value, None) for name, value in ALONE.items()}
        session: Any = boto3.session.Session(
            KEY, KEY, region_name=self.region, botocore_session=botocore.session.Session(alone)
        )
        return session.client(service, endpoint_url=self.url, config=config)

    def stop(self) -> None:
        """End the process."""
        if self._process:
            self._process.stop()
            self._process = None
