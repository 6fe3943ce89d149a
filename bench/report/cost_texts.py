"""The sentences of docs/cost.md; `cost_page` wraps them and fills in what it computes."""

from bench.measure.memory_sizes import MEGABYTES_OF_ONE_CPU
from bench.measure.quota import PERIOD_MS

REGION = "us-east-2"

INTRODUCTION = """Made by `python -m bench.report.cost_page` from
[`bench/cost/prices.json`](../bench/cost/prices.json) and measured durations; do not edit. Prices are before
tax and free tier; [the last table](#the-prices) has region, date and source of each: check yours before
relying on them. One core of the measuring machine is taken for one vCPU of Lambda and for one physical core
of an instance. ViT-B/32 has random weights here."""

EXAMPLES = """Line by line as printed, from our model. The lines agree; the two printed totals do not: both
are short by nine tenths of the data output, as if an answer had 10 KB instead of the 100 KB of its line. (The
second example's heading speaks of 4 seconds, its line of 1.)"""

OURS = f"""{REGION}, Lambda x86_64 at {MEGABYTES_OF_ONE_CPU} MB (one vCPU), one JPEG of 954 KB each, `exact`
(ViT-B/32 as open_clip computes it); an answer has 6 KB and its log line 1 KB."""

BATCHES = f"""$ per million images where a request has so many ({REGION}, Lambda x86_64 at
{MEGABYTES_OF_ONE_CPU} MB, ADR 8). The call, the invocation and the log line are shared. The running time is
that of as many single requests: `python -m bench.measure.batches` compares the two. Four JPEGs of 954 KB fit
into a body, 16 images can be fetched; the 64 that a request may have are smaller where they are in its body,
and so take less time than is counted here. The registry's storage is not in these figures."""

MEMORY = """$ per million requests on x86_64 / on arm64, invocations included, and the time of one. Under one
vCPU, Lambda gives processor time in proportion to memory: the price stays about the same and the answer comes
later. Above, the answer comes sooner and costs more. The stack's default is %(default)s MB."""

MEASURED = f"""Measured: each process under the CPU quota that the size buys (memory / {MEGABYTES_OF_ONE_CPU}
CPUs of two cores, by a control group with a period of {PERIOD_MS} ms). A call finds the share of its first
period unused, as after a pause: short ones gain by that, and less so when requests come back to back."""

INTERPOLATED = """The sizes were not measured: times are reckoned from those on one and on two whole cores, in
proportion under one and by interpolation above."""

ARM64 = """arm64 is 20 % cheaper a GB-second; its durations were not measured, and its rows take them as
equal."""

SAGEMAKER = f"""An endpoint is always on, and has no cold starts. Below the break-even, Lambda costs less;
where the break-even is above what the instance answers at 60 % of its cores, Lambda always does. Compute
only, as API Gateway costs the same in front of both; Lambda at {MEGABYTES_OF_ONE_CPU} MB:"""

SAGEMAKER_DATA = """SageMaker charges for bytes in and out as well. By URL they are few; a picture of 954 KB
in the body adds $%(body).2f per million, where Lambda charges nothing: then Lambda always costs less, unless
it takes more than %(slower).1f s. The time to fetch a URL, which Lambda charges too, is not in these figures.
Instances that are not listed have no price that we could read; GPUs were not measured."""

HOSTED = """$ per million pictures; theirs are other models with other vectors. Ours: Lambda compute as above,
API Gateway's %(gateway).2f included. Cohere Embed v4, Azure and Jina: no price per picture was found."""

CATALOGUE = """$ for a catalogue of so many pictures (`Catalogue=yes`), ViT-B/32 `exact` on Lambda with
3008 MB: their vectors once (computing, two reads of each object, the queue, the bucket's events), writing
them by the hundred, a month of keeping them, and a million searches, each with a new picture and by way of
API Gateway. Beside it the same work on Titan Multimodal Embeddings and S3 Vectors: embeddings of pictures and
of searches, one read of each object, vectors of 384 numbers; the program that calls both, its queue and an
API are not in it. A sync that finds nothing to do looks every picture up on both sides (ADR 6)."""
