"""What moto does not have, written into its backends: nothing else here knows their insides."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from moto import mock_aws
from moto.apigateway.models import apigateway_backends
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.logs.models import logs_backends
from moto.sagemaker.models import FakeEndpointConfig, sagemaker_backends
from moto.sqs.models import sqs_backends


@contextmanager
def mocked_services() -> Iterator[None]:
    """moto's services for the time of the block, empty at first, that take every SageMaker instance type.

    moto's list of the types ends in 2019; whether one exists is checked against the provider schema.
    """
    any_type = mock.patch.object(FakeEndpointConfig, "validate_instance_type", return_value=None)
    with any_type, mock_aws():
        yield


def set_authorization(region: str, api_id: str, resource_id: str, method: str, authorization: str) -> None:
    """Set a method's authorization type, which moto's PutRestApi leaves out (it has no UpdateMethod)."""
    backend = apigateway_backends[DEFAULT_ACCOUNT_ID][region]
    backend.get_method(api_id, resource_id, method).authorization_type = authorization


def set_key(region: str, group: str, key: str | None) -> None:
    """Encrypt a log group with another key (AssociateKmsKey), or with AWS's own (DisassociateKmsKey)."""
    logs_backends[DEFAULT_ACCOUNT_ID][region].groups[group].kms_key_id = key


def update_endpoint(region: str, endpoint: str, config: str) -> None:
    """Point an endpoint to another configuration, its instance counts retained (UpdateEndpoint)."""
    sagemaker_backends[DEFAULT_ACCOUNT_ID][region].endpoints[endpoint].endpoint_config_name = config


def unmap(region: str, queue: str, mapping: str) -> None:
    """Let a queue (by name) know nothing of an event source mapping.

    moto's would give each message to a function in a container, and keep deleted mappings.
    """
    known = sqs_backends[DEFAULT_ACCOUNT_ID][region].queues[queue].lambda_event_source_mappings
    for key in [key for key, item in known.items() if item.uuid == mapping]:
        del known[key]
