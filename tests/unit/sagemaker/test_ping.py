"""/ping tells SageMaker to replace a container whose work never ends, on the routes as they are served."""

import asyncio

import httpx
import pytest

from image_similarity.inference.encoder import OnnxEncoder
from image_similarity.inference.loading import DEFAULT_MODEL_DIR
from image_similarity.inference.service import Service
from image_similarity.inference.sources import SourcePolicy
from image_similarity.inference.telemetry import ObservedService
from sagemaker.server import create_app
from sagemaker.workers import STUCK_AFTER_SECONDS, Workers


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def service() -> ObservedService:
    encoder = OnnxEncoder(DEFAULT_MODEL_DIR, threads=1)
    return ObservedService("sagemaker", {}, lambda: Service(encoder, SourcePolicy()))


def test_work_that_never_ends_is_told_by_ping_until_it_ends(service: ObservedService) -> None:
    clock = Clock()
    workers = Workers(capacity=2, clock=clock)
    transport = httpx.ASGITransport(create_app(service, workers))

    async def run() -> None:
        async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:

            async def ping() -> int:
                return (await client.get("/ping")).status_code

            assert await ping() == 200
            async with workers.place(0):
                clock.seconds = STUCK_AFTER_SECONDS
                assert await ping() == 200
                clock.seconds += 0.1
                assert await ping() == 503
            assert await ping() == 200

    asyncio.run(run())
