"""The catalogue's infrastructure: its states, upgrades of the template, and the mistakes that it avoids."""

import copy
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from cfnlint.helpers import REGIONS

from cdk_app.catalogue import events
from cdk_app.parameters import WITHOUT_S3_VECTORS
from local.synthesis import Assembly
from local.template.identifiers import PseudoParameters
from local.template.intrinsics import ResolveError
from local.template.resolve import resolve
from tests.cloudformation.engine import Step
from tests.cloudformation.providers import ProviderFailed
from tests.cloudformation.providers.rules import PATTERN_CHARACTERS, refused
from tests.cloudformation.types import unrecognized
from tests.infrastructure.account import LOG_KEYS, Account, account, empty_zip
from tests.infrastructure.iam import MOST_BUCKETS
from tests.infrastructure.registry import push
from tests.infrastructure.stack import Stack, assembled
from tests.infrastructure.synthesis import Synthesized, of_type

Template = Mapping[str, Any]
ON = {"Catalogue": "yes", "ImageBuckets": "photos,albums"}
INDEX, BUCKET = "AWS::S3Vectors::Index", "AWS::S3Vectors::VectorBucket"


@pytest.fixture(scope="module")
def assembly() -> Assembly:
    return assembled()


@pytest.fixture
def stack(assembly: Assembly) -> Iterator[Stack]:
    with account(assembly) as bootstrapped:
        yield Stack(bootstrapped, assembly.template)


def upgrade(stack: Stack, to: Assembly) -> None:
    """Let the next deployment be of another template, whose files and images are pushed."""
    client = stack.account.client("s3")
    [bucket] = client.list_buckets()["Buckets"]
    there = {item["Key"] for item in client.list_objects_v2(Bucket=bucket["Name"]).get("Contents", [])}
    for key in to.files.keys() - there:
        client.put_object(Bucket=bucket["Name"], Key=key, Body=empty_zip())
    push(stack.account.cloud, to, stack.engine.pseudo)
    stack.template = to.template


def indexes(bootstrapped: Account) -> list[str]:
    return bootstrapped.inventory().get(INDEX, [])


# States


def test_a_stack_that_had_no_catalogue_keeps_all_that_it_has(stack: Stack) -> None:
    stack.become(ImageBuckets=ON["ImageBuckets"])
    before = stack.account.inventory()
    stack.become(**ON)
    stack.become(Catalogue="no")
    after = stack.account.inventory()
    del before["AWS::ApiGateway::Deployment"], after["AWS::ApiGateway::Deployment"]
    assert after == before


def test_what_waits_is_there_after_a_pause_and_after_a_change_of_backend(stack: Stack) -> None:
    stack.become(**ON)
    client = stack.account.client("sqs")
    [url] = [url for url in client.list_queues()["QueueUrls"] if "DeadLetters" not in url]
    stack.become(Catalogue="paused")
    client.send_message(QueueUrl=url, MessageBody="while it was paused")
    before = indexes(stack.account)
    stack.become(ImageSimilarity="no")
    stack.become(APIGatewayStageName="v2", ImageBuckets="photos,more")
    stack.become(ImageSimilarity="yes-sagemaker", KmsKeyArn=LOG_KEYS[0])
    count = client.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    assert count["Attributes"]["ApproximateNumberOfMessages"] == "1"
    assert indexes(stack.account) == before
    stack.become(Catalogue="yes")
    stack.delete()


# Upgrades of the template


def test_another_model_is_another_index_and_the_old_one_goes_last(stack: Stack) -> None:
    stack.become(**ON)
    [old] = indexes(stack.account)
    upgrade(stack, assembled(model="embedded"))
    stack.become()
    [new] = indexes(stack.account)
    assert (old.rsplit("/", 1)[0], new != old) == (new.rsplit("/", 1)[0], True)
    order = [(step.action, step.logical_id) for step in stack.done]
    made, gone = (order.index((action, "CatalogueIndex")) for action in ("REPLACE", "DELETE"))
    assert made < order.index(("UPDATE", "CatalogueIndexFunction")) < gone
    stack.delete()


def test_another_model_that_fails_leaves_the_index_of_before(stack: Stack) -> None:
    stack.become(**ON)
    before = indexes(stack.account)
    upgrade(stack, assembled(model="embedded"))
    stack.engine.fail = lambda step: "injected" if step.logical_id == "CatalogueAnswerFunction" else None
    assert stack.deploy().status == "UPDATE_ROLLBACK_COMPLETE"
    assert indexes(stack.account) == before
    [function] = [
        item
        for item in stack.account.client("lambda").list_functions()["Functions"]
        if "CatalogueIndex" in item["FunctionName"]
    ]
    assert function["Environment"]["Variables"]["CATALOGUE_INDEX_ARN"] == before[0]


def test_a_template_without_the_catalogue_takes_it_away(stack: Stack, assembly: Assembly) -> None:
    stack.become(**ON)
    absent = assembled(catalogue="absent")
    upgrade(stack, absent)
    assert stack.engine.deploy(absent.template, {}).status == "UPDATE_COMPLETE"
    left = stack.account.inventory()
    assert not [name for names in left.values() for name in names if "atalogue" in name]
    assert not {INDEX, BUCKET, "AWS::SQS::Queue", "AWS::Events::Rule", "AWS::DynamoDB::Table"} & left.keys()
    upgrade(stack, assembly)
    stack.become(**ON)


def test_absent_leaves_types_parameters_and_routes_out(synthesized: Callable[..., Synthesized]) -> None:
    absent = synthesized(catalogue="absent").template
    assert not {"Catalogue", "CatalogueConcurrency"} & absent["Parameters"].keys()
    text = json.dumps(
        {name: absent[name] for name in ("Resources", "Conditions", "Outputs", "Rules", "Metadata")}
    )
    assert "atalogue" not in text
    assert "S3Vectors" not in text


def test_regions_without_the_types_are_those_that_the_rule_names(template: Template) -> None:
    lacking = {region for region in REGIONS if {INDEX, BUCKET} & {*unrecognized(template, region)}}
    assert lacking == set(WITHOUT_S3_VECTORS)


# What is refused before anything changes


@pytest.mark.parametrize("state", ["yes", "paused"])
def test_rules_refuse_a_catalogue_that_cant_be(
    template: Template, synthesized: Callable[..., Synthesized], state: str
) -> None:
    resolve(template, {"Catalogue": "no"}, pseudo=PseudoParameters(region="il-central-1"))
    with pytest.raises(ResolveError, match="Catalogue needs ImageBuckets, which is empty"):
        resolve(template, {"Catalogue": state})
    for region in WITHOUT_S3_VECTORS:
        with pytest.raises(ResolveError, match="this region has no Amazon S3 Vectors"):
            resolve(template, {**ON, "Catalogue": state}, pseudo=PseudoParameters(region=region))
    other = synthesized(images="sagemaker").template
    resolve(other, {"ImageBuckets": "photos"})
    with pytest.raises(ResolveError, match="made without the Lambda image"):
        resolve(other, {**ON, "Catalogue": state})


def test_buckets_cant_be_taken_away_from_under_a_catalogue(stack: Stack) -> None:
    stack.become(**ON)
    with pytest.raises(ResolveError, match="Catalogue needs ImageBuckets"):
        stack.deploy(ImageBuckets="")
    assert stack.done == []


def test_the_pattern_of_the_most_buckets_is_short_enough(template: Template) -> None:
    rule = resolve(template, {**ON, "ImageBuckets": MOST_BUCKETS}).one("AWS::Events::Rule")
    assert len(rule.properties["EventPattern"]["detail"]["bucket"]["name"]) == 100
    assert len(json.dumps(rule.properties["EventPattern"], separators=(",", ":"))) < PATTERN_CHARACTERS


# What it consists of


def test_times_fit_together(resources: Mapping[str, Any]) -> None:
    queue, dead = (resources[name]["Properties"] for name in ("CatalogueQueue", "CatalogueDeadLetters"))
    mapping = resources["CatalogueMapping"]["Properties"]
    timeout = resources["CatalogueIndexFunction"]["Properties"]["Timeout"]
    window = mapping["MaximumBatchingWindowInSeconds"]
    assert queue["VisibilityTimeout"] == 6 * timeout + window == events.VISIBILITY_SECONDS
    assert queue["MessageRetentionPeriod"] == dead["MessageRetentionPeriod"] == 14 * 24 * 3600
    assert mapping["BatchSize"] > 10 > 0 < window <= 300


@pytest.mark.parametrize("backend", ["yes-lambda", "yes-sagemaker"])
def test_the_ceiling_bounds_searches_and_not_indexing(template: Template, backend: str) -> None:
    """What a throttled queue's function does not take counts as received, and ends among the dead letters."""
    for value, reserved in (("", None), ("7", "7")):
        stack = resolve(template, {**ON, "ImageSimilarity": backend, "LambdaMaxConcurrency": value})
        answer, index = (stack.resources[f"Catalogue{name}Function"] for name in ("Answer", "Index"))
        assert answer.properties.get("ReservedConcurrentExecutions") == reserved
        assert "ReservedConcurrentExecutions" not in index.properties


def test_two_stacks_in_one_account_share_no_name(template: Template) -> None:
    other = PseudoParameters(guid="61af3dc0-da77-11e4-872e-1234567db123")
    stacks = resolve(template, ON), resolve(template, ON, pseudo=other)
    for kind, key in ((BUCKET, "VectorBucketName"), ("AWS::Events::Rule", "Name")):
        one, two = (stack.one(kind).properties[key] for stack in stacks)
        assert one != two
        assert re.fullmatch(r"image-similarity-[0-9a-f]{8}", one)


def test_outputs_tell_where_to_search(template: Template) -> None:
    for state, expected in (("no", False), ("paused", False), ("yes", True)):
        outputs = resolve(template, {**ON, "Catalogue": state}).outputs
        assert ("CatalogueSearch" in outputs) is expected
    assert resolve(template, ON).outputs["CatalogueSearch"].endswith("/prod/catalogue/search")


def test_outputs_are_both_ends_of_a_redrive(stack: Stack) -> None:
    """A redrive takes ARNs, and finds no destination for what EventBridge itself sent to the dead letters.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/troubleshooting-dlq-redrive.html
    """
    stack.become(**{**ON, "Catalogue": "paused"})
    client = stack.account.client("sqs")
    every = [
        client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn", "RedrivePolicy"])["Attributes"]
        for url in client.list_queues()["QueueUrls"]
    ]
    [queue] = [item for item in every if "RedrivePolicy" in item]
    dead = json.loads(queue["RedrivePolicy"])["deadLetterTargetArn"]
    told = {name: stack.engine.outputs[name] for name in ("CatalogueQueue", "CatalogueDeadLetters")}
    assert told == {"CatalogueQueue": queue["QueueArn"], "CatalogueDeadLetters": dead}


def test_one_period_of_lost_events_is_enough_for_their_alarm(template: Template) -> None:
    """EventBridge sends FailedInvocations only when it isn't zero: a burst is in one period."""
    stack = resolve(template, ON)
    needed = {
        name: stack.resources[name].properties["DatapointsToAlarm"]
        for name in ("CatalogueEventsAlarm", "CatalogueAgeAlarm", "CatalogueDeadLettersAlarm")
    }
    assert needed == {"CatalogueEventsAlarm": 1, "CatalogueAgeAlarm": 2, "CatalogueDeadLettersAlarm": 2}


# The engine can see the mistakes that the design avoids


def broken(stack: Stack, change: Callable[[dict[str, Any]], None]) -> None:
    template = copy.deepcopy(dict(stack.template))
    change(template["Resources"])
    stack.template = template


def test_a_rule_before_its_queues_policies_would_lose_events(assembly: Assembly) -> None:
    lost = 0
    for seed in range(6):
        with account(assembly, seed=seed) as bootstrapped:
            stack = Stack(bootstrapped, assembly.template)
            broken(stack, lambda resources: resources["CatalogueRule"].pop("DependsOn"))
            seen: list[Step] = []

            def note(step: Step, cloud: Any = bootstrapped.cloud, seen: list[Step] = seen) -> None:
                if list(refused(cloud)):
                    seen.append(step)

            stack.engine.on_step = note
            stack.deploy(**ON)
            lost += bool(seen)
    assert lost


def test_a_mapping_that_waits_for_no_key_policy_would_be_refused(stack: Stack) -> None:
    def change(resources: dict[str, Any]) -> None:
        resources["CatalogueMapping"]["Properties"]["FunctionName"] = {"Ref": "CatalogueIndexFunction"}
        resources["CatalogueIndexKeyPolicy"]["DependsOn"] = "CatalogueMapping"  # one of the orders then

    stack.become()
    broken(stack, change)
    outcome = stack.deploy(**ON, KmsKeyArn=LOG_KEYS[0])
    assert outcome.status == "UPDATE_ROLLBACK_COMPLETE"
    assert outcome.reason.endswith("does not have permissions to call Decrypt on KMS")


def test_an_index_of_one_name_for_every_model_could_not_be_upgraded(stack: Stack) -> None:
    stack.engine.on_step = lambda step: None
    assert stack.deploy(**ON).status == "CREATE_COMPLETE"
    broken(stack, lambda resources: resources["CatalogueIndex"]["Properties"].update(Dimension=768))
    outcome = stack.deploy()
    assert (outcome.status, "ConflictException" in outcome.reason) == ("UPDATE_ROLLBACK_COMPLETE", True)


def test_an_index_that_names_its_bucket_would_be_deleted_after_it(assembly: Assembly) -> None:
    def change(resources: dict[str, Any]) -> None:
        bucket = resources["CatalogueVectorBucket"]["Properties"]["VectorBucketName"]
        arn = "arn:aws:s3vectors:us-east-1:123456789012:bucket/${Name}"
        resources["CatalogueIndex"]["Properties"]["VectorBucketArn"] = {"Fn::Sub": [arn, {"Name": bucket}]}

    problems = set()
    for seed in range(8):
        with account(assembly, seed=seed) as bootstrapped:
            stack = Stack(bootstrapped, assembly.template)
            broken(stack, change)
            stack.engine.on_step = lambda step: None
            reason = stack.deploy(**ON).reason
            try:
                stack.engine.delete()
            except ProviderFailed as error:
                reason += str(error)
            problems |= set(re.findall("not empty|could not be found", reason))
    assert problems


def test_a_function_that_may_not_call_itself_again_would_stop_a_sync(stack: Stack) -> None:
    def change(resources: dict[str, Any]) -> None:
        del resources["CatalogueIndexFunction"]["Properties"]["RecursiveLoop"]

    broken(stack, change)
    with pytest.raises(AssertionError):
        stack.become(**ON)


def test_only_one_function_may_loop(resources: Mapping[str, Any]) -> None:
    functions = of_type(resources, "AWS::Lambda::Function")
    assert [name for name, item in functions.items() if "RecursiveLoop" in item["Properties"]] == [
        "CatalogueIndexFunction"
    ]
