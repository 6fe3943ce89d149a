"""What a catalogue costs: to fill, to keep, to search and to sync, by the number of its pictures."""

from dataclasses import dataclass

from bench.cost.model import ANSWER_KB, LOG_KB, Workload, lambda_total
from bench.cost.prices import PRICES

MILLION = 1e6
KIB, GIB, TIB = 2**10, 2**30, 2**40
VECTOR_BYTES = 2250
"""512 float32, and the key, the size, the date and the ETag beside them."""
LEAST_WRITE_BYTES = 128 * KIB
"""What a call of PutVectors is paid as, at least."""
PUT, GET, LIST, SEND = 100, 100, 1000, 10
"""Vectors of a put and a get, of a page of a list (objects too), and messages of a send."""
SMALL, MEDIUM = 100_000, 10_000_000
"""Vectors from which on a scan is cheaper."""


@dataclass(frozen=True)
class Costs:
    """Of so many pictures, in the region's currency.

    Attributes:
        embedding: their vectors, once: computing, reading the objects, waiting in the queue.
        writing: them, once.
        month: of keeping the vectors.
        searches: a million of them, each with a picture whose vector is made first, by way of API Gateway.
        sync: one that finds nothing to do.
    """

    pictures: int
    embedding: float
    writing: float
    month: float
    searches: float
    sync: float

    @property
    def work(self) -> float:
        """All but the sync: the pictures once, a month, a million searches."""
        return self.embedding + self.writing + self.month + self.searches


def ours(region: str, pictures: int, workload: Workload) -> Costs:
    """With this solution: `workload` is what a million embeddings take, in the function of either kind."""
    millions = pictures / MILLION
    each = PRICES.regions[region].catalogue
    compute = lambda_total(region, workload) - PRICES.regions[region].lambda_million_requests.price
    queue = each["message"].price * (1 + 2 / SEND)  # a call to send ten, receive ten, and to delete each
    prices = PRICES.regions[region]
    answers = (
        ANSWER_KB / 1e6 * MILLION * prices.data_out_gb.price + LOG_KB / 1e6 * MILLION * prices.logs_gb.price
    )
    calls = prices.api_million_calls.price + answers
    return Costs(
        pictures,
        embedding=millions * (compute + 2 * each["object_read"].price + queue + each["event"].price),
        writing=writing(region, pictures, PUT),
        month=stored(region, pictures),
        searches=lambda_total(region, workload) + calls + queries(region, pictures),
        sync=sync(region, pictures),
    )


def titan(region: str, pictures: int) -> Costs:
    """The same work by hand on Titan Multimodal Embeddings and S3 Vectors: 60 dollars a million embeddings.

    Titan's vectors have 256, 384 or 1024 numbers; 384 are taken here, the size that is nearest to 512 from
    below. The program that calls both is left out, with its queue; so it is cheaper here than it is.
    """
    million = next(one.price for one in PRICES.hosted_per_million_images if "Titan" in one.what)
    each, numbers = PRICES.regions[region].catalogue, 384 / 512
    return Costs(
        pictures,
        embedding=pictures / MILLION * (million + each["object_read"].price),
        writing=writing(region, pictures, PUT) * numbers,
        month=stored(region, pictures) * numbers,
        searches=million + queries(region, pictures, numbers),
        sync=0.0,
    )


def writing(region: str, pictures: int, together: int) -> float:
    """Putting vectors, so many a call."""
    paid = max(VECTOR_BYTES, LEAST_WRITE_BYTES / together)
    return pictures * paid / GIB * PRICES.regions[region].catalogue["write"].price


def stored(region: str, pictures: int) -> float:
    """Vectors for a month."""
    return pictures * VECTOR_BYTES / GIB * PRICES.regions[region].catalogue["storage"].price


def queries(region: str, pictures: int, numbers: float = 1.0) -> float:
    """A million queries: each pays for going over the vectors, by three prices.

    Args:
        region: whose prices.
        pictures: vectors of the index.
        numbers: that a vector has, as a share of 512.
    """
    each = PRICES.regions[region].catalogue
    parts = (
        (min(pictures, SMALL), "scan_small"),
        (max(0, min(pictures, MEDIUM) - SMALL), "scan_medium"),
        (max(0, pictures - MEDIUM), "scan_large"),
    )
    scanned = sum(count * VECTOR_BYTES * numbers / TIB * each[name].price for count, name in parts)
    return each["query"].price + MILLION * scanned


def sync(region: str, pictures: int) -> float:
    """Listing the objects and looking each up, listing the vectors and looking at each object (ADR 6)."""
    each, millions = PRICES.regions[region].catalogue, pictures / MILLION
    objects = each["object_list"].price / LIST + each["read"].price / GET
    return millions * (objects + each["read"].price / LIST + each["object_read"].price)
