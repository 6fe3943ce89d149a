"""The sentences of docs/cost.md; `cost_page` wraps them and fills in what it computes."""

from bench.measure.memory_sizes import MEGABYTES_OF_ONE_CPU
from bench.measure.quota import PERIOD_MS

REGION = "us-east-2"

INTRODUCTION = """Made by `python -m bench.report.cost_page` from
[`bench/cost/prices.json`](../bench/cost/prices.json) and measured durations; do not edit. Prices exclude tax
and the free tier; [the last table](#the-prices) has the region, date and source of each: check your own
before relying on them. One core of the measuring machine counts as one vCPU of Lambda and as one physical
core of an instance. ViT-B/32 has random weights here."""

EXAMPLES = """Line by line, as printed and from our model. The lines agree; the two printed totals do not:
both are too low by nine tenths of the data output, as if an answer had 10 KB instead of the 100 KB in its
line. (The second example's heading says 4 seconds, its line 1 second.)"""

OURS = f"""{REGION}, Lambda x86_64 at {MEGABYTES_OF_ONE_CPU} MB (one vCPU), one JPEG of 954 KB each, `exact`
(ViT-B/32 as open_clip computes it); an answer has 6 KB and its log line 1 KB."""

BATCHES = f"""$ per million images by the number of images in a request ({REGION}, Lambda x86_64 at
{MEGABYTES_OF_ONE_CPU} MB, ADR 8). Images share the call, the invocation and the log line. The running time is
that of as many single requests; `python -m bench.measure.batches` compares the two. Four JPEGs of 954 KB fit
into a body, and 16 images can be fetched. Of the 64 that a request may have, those in its body are smaller
and so take less time than is counted here. The registry's storage is not included."""

MEMORY = """$ per million requests on x86_64 / on arm64, invocations included, and the time of one. Below one
vCPU, Lambda gives CPU time in proportion to memory: the price stays about the same and the answer comes
later. Above, the answer comes sooner and costs more. The stack's default is %(default)s MB."""

MEASURED = f"""Measured with each process under the CPU quota that the size buys (memory /
{MEGABYTES_OF_ONE_CPU} CPUs of two cores, by a control group with a period of {PERIOD_MS} ms). A call starts
with its first period's quota unused, as after a pause: short calls gain from that, and gain less when
requests come back to back."""

INTERPOLATED = """The sizes were not measured: times are derived from those on one and on two whole cores, in
proportion below one and by interpolation above."""

ARM64 = """arm64 is 20 % cheaper per GB-second; its durations were not measured and are assumed equal."""

SAGEMAKER = f"""An endpoint is always on and has no cold starts. Below the break-even, Lambda costs less; if
the break-even is above what the instance answers at 60 % of its cores, Lambda is always cheaper. Compute
only, because API Gateway costs the same in front of both. Lambda at {MEGABYTES_OF_ONE_CPU} MB:"""

SAGEMAKER_DATA = """SageMaker also charges for bytes in and out. By URL they are few; a picture of 954 KB in
the body adds $%(body).2f per million, for which Lambda charges nothing: then Lambda always costs less, unless
it takes more than %(slower).1f s. The time to fetch a URL, for which Lambda charges too, is not included. For
instances that are not listed we could find no price; GPUs were not measured."""

HOSTED = """$ per million pictures; the services use other models with other vectors. Ours: Lambda compute as
above, API Gateway's %(gateway).2f included. No price per picture was found for Cohere Embed v4, Azure and
Jina."""

CATALOGUE = """$ for a catalogue by its number of pictures (`Catalogue=yes`), ViT-B/32 `exact` on Lambda with
3008 MB: computing the vectors once (compute, two reads of each object, the queue, the bucket's events),
writing them in batches of a hundred, storing them for a month, and a million searches, each with a new
picture and through API Gateway. For comparison, the same work on Titan Multimodal Embeddings and S3 Vectors:
embeddings of pictures and of searches, one read of each object, vectors of 384 numbers; the program that
calls both, its queue and an API are not included. A sync that finds nothing to do looks up every picture on
both sides (ADR 6)."""
