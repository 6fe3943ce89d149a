"""The rows of the catalogue's parameters."""

from collections.abc import Mapping

from cdk_app.build_rows import backends
from cdk_app.constraints import Number, OneOf
from cdk_app.table import Row

GROUP = "Catalogue"
STATES = ("no", "yes", "paused")
ABSENT = "absent"


def in_template(flags: Mapping[str, str]) -> bool:
    """Whether the template knows the catalogue's parameter."""
    return flags["catalogue"] != ABSENT


def has_resources(flags: Mapping[str, str]) -> bool:
    """Whether the template has the catalogue's resources: their functions run the Lambda image."""
    return in_template(flags) and "lambda" in backends(flags)


CATALOGUE_ROWS = (
    Row(
        flag="catalogue",
        name="Catalogue",
        group=GROUP,
        label="Catalogue",
        default="no",
        rule=OneOf((*STATES, ABSENT)),
        offers=lambda _: STATES,
        present=in_template,
        text="yes: the pictures in ImageBuckets are indexed and can be searched. paused: index and queue "
        "stay, and nothing is lost for up to 14 days; functions and routes are deleted. no: the index "
        "is deleted. The flag's value absent leaves all of it out of the template, for regions without "
        "S3 Vectors.",
    ),
    Row(
        flag="catalogue_concurrency",
        name="CatalogueConcurrency",
        group=GROUP,
        label="Catalogue Concurrency",
        default="2",
        rule=Number(2, 1000),
        present=has_resources,
        text="The most functions that index at once; they share the account's concurrency with the API. Each"
        " indexes a few dozen pictures a second.",
    ),
)
