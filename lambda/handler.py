"""The Lambda adapter: a proxy event of an API Gateway REST API in, its proxy response out.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

import os
import sys
from collections.abc import Mapping
from functools import partial
from typing import Any

from image_similarity.inference.decoders import processes

decoder = processes.start()  # before the imports below: it forks, and they start threads

from image_similarity.inference.lambda_environment import encoder_threads, waits_for_the_start
from image_similarity.inference.loading import Loading

threads = encoder_threads(os.environ)
loading = Loading(os.environ, threads=threads)  # in a thread, while this one goes on with its imports

from image_similarity.inference import runtime
from image_similarity.inference.aws_lambda import answered
from image_similarity.inference.errors import StartError
from image_similarity.inference.service import load_service
from image_similarity.inference.telemetry import JsonFormatter, ObservedService

runtime.prepare(JsonFormatter())
# At import, in Lambda's init phase, before a request waits; started on demand, one is already waiting.
warm = not waits_for_the_start(os.environ)
load = partial(load_service, os.environ, threads=threads, decoder=decoder, warm=warm, begun=loading)
try:
    service = ObservedService("lambda", os.environ, load, begun=loading.begun)
except StartError as error:
    sys.exit(error.sentence)


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Answer one event."""
    return answered(event, service)
