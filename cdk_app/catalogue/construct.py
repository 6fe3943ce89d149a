"""The catalogue: its data stays while it is paused, its functions exist only while it serves."""

from constructs import Construct

from cdk_app import addresses, functions
from cdk_app.backend import Output
from cdk_app.catalogue import events, kept, permissions, workers
from cdk_app.catalogue.watch import KEPT, SERVING, Watched
from cdk_app.choices import Choices
from cdk_app.conditions import when


class Catalogue(Construct):
    """Index, table, queues and rule; and the functions, their mapping and API Gateway's permission.

    Args:
        scope: the stack.
        choices: parameters, conditions and flags.
        image_uri: the Lambda image, whichever backend the API has.
    """

    def __init__(self, scope: Construct, choices: Choices, image_uri: str) -> None:
        super().__init__(scope, "Catalogue")
        index, table, queues = (
            kept.vector_index(self, choices.config),
            kept.ledger(self),
            events.queues(self, choices),
        )
        variables = {
            "CATALOGUE_INDEX_ARN": index.attr_index_arn,
            "CATALOGUE_TABLE": table.ref,
            "CATALOGUE_QUEUE_URL": queues.queue.ref,
        }
        serving = Construct(self, "Serving")
        statements = (index, queues.queue, table, choices)
        indexer = workers.Worker(
            serving,
            "Index",
            choices,
            work=workers.INDEXING,
            image_uri=image_uri,
            statements=permissions.index_statements(*statements),
            variables=variables,
        )
        answerer = workers.Worker(
            serving,
            "Answer",
            choices,
            work=workers.ANSWERING,
            image_uri=image_uri,
            statements=permissions.answer_statements(*statements),
            variables=variables,
        )
        workers.mapping(serving, choices, indexer, queues.queue)
        self.permission = functions.invoke_permission(
            serving, answerer.function, addresses.execute_arn("*/catalogue*")
        )
        when(choices.conditions[SERVING], serving)
        when(choices.conditions[KEPT], self)
        self.integration = functions.proxy_integration(answerer.function)
        watched = Watched(queues, indexer.function, answerer.function)
        self.turned_away = watched.turned_away
        self.alarms, self.widgets = watched.alarms(choices), watched.widgets()
        self.outputs = {
            SERVING: (
                Output("CatalogueSearch", addresses.url("catalogue/search"), "Where to POST searches"),
            ),
            # A redrive takes ARNs, and finds no destination for what EventBridge sent to the dead letters:
            # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/troubleshooting-dlq-redrive.html
            KEPT: (
                Output("CatalogueDeadLetters", queues.dead.attr_arn, "What could not be indexed; to redrive"),
                Output("CatalogueQueue", queues.queue.attr_arn, "Where to redrive dead letters to"),
            ),
        }
