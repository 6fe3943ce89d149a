"""The sabotaged stacks, one for each row."""

from collections.abc import Mapping

from tests.verification.cloud import Quirks
from tests.verification.sabotage import (
    BODY,
    FEATURE,
    OPEN,
    RESPONSES,
    SAGEMAKER,
    Sabotage,
    answered,
    as_status,
    both,
    by_turns,
    cut,
    demanding,
    halved,
    kept_deployments,
    of_function,
    of_resource,
    of_role,
    on_gpu,
    only_good,
    other_stage,
    permitted_late,
    put,
    stale,
    talkative,
    undenied,
    unmapped,
    unscaled,
    untimed,
    without,
)

NO_ACL = put("Conditions|HasWebAcl", {"Fn::Equals": ["a", "b"]})


SABOTAGES: Mapping[str, Sabotage] = {
    "outputs": Sabotage(
        "ImageSimilarity is ",
        put("Outputs|ImageSimilarity|Value", {"Fn::Sub": "https://${RestApi}/image-similarity"}),
    ),
    "routes": Sabotage(
        "too many: .*'POST', '/text_similarity', 'NONE'",
        put(f"{BODY}|paths|/text_similarity|Fn::If|1|post|security", OPEN),
    ),
    "root": Sabotage(
        "^200",
        put(
            f"{BODY}|paths|/|get|x-amazon-apigateway-integration|requestTemplates|application/json",
            '{"statusCode": 200}',
        ),
    ),
    "explorer": Sabotage(
        "^50[0-3]",
        of_resource(
            "ExplorerPermission",
            "SourceArn",
            {"Fn::Sub": "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${RestApi}/*/GET/elsewhere"},
        ),
    ),
    "vector": Sabotage("511 numbers", quirks=answered(cut)),
    "timings": Sabotage("Server-Timing: none", untimed, parameters=SAGEMAKER, backend="sagemaker"),
    "pair": Sabotage("0.5 with itself", quirks=answered(halved)),
    "batch": Sabotage("63 results of 64 images", quirks=answered(only_good)),
    "url": Sabotage("SourceNotAllowed", of_function("Environment|Variables|URL_HOSTS", "none")),
    "alias": Sabotage("^403", without(f"{BODY}|paths|/text_similarity")),
    "no-content-type": Sabotage("required request parameters", demanding),
    "invalid-request": Sabotage("^502", unmapped, parameters=SAGEMAKER, backend="sagemaker"),
    "invalid-image": Sabotage("^500", quirks=as_status(400, 500)),
    "private-address": Sabotage("^200", quirks=as_status(400, 200)),
    "media-type": Sabotage("^400", quirks=as_status(415, 400)),
    "too-large": Sabotage("^502", quirks=as_status(413, 502)),
    "compressed": Sabotage(
        "Content-Encoding: none", without("Resources|RestApi|Properties|MinimumCompressionSize")
    ),
    "unsigned": Sabotage("^400 InvalidRequest|^400: ", put(f"{FEATURE}|post|security", OPEN)),
    "no-route": Sabotage("403 InvalidRequest", without(f"{RESPONSES}|MISSING_AUTHENTICATION_TOKEN")),
    "preflight": Sabotage(
        "not allowed are: .*X-Amz-Date",
        put(
            f"{FEATURE}|options|x-amazon-apigateway-integration|responses|default|responseParameters"
            "|method.response.header.Access-Control-Allow-Headers",
            "'Content-Type,Authorization'",
        ),
    ),
    "log-line": Sabotage("none with the requestId", of_role("LambdaRole", "logs:PutLogEvents")),
    "metrics": Sabotage(
        "no value of ImageSimilarity Latency",
        without("Resources|LambdaFunction|Properties|Environment|Variables|STACK_NAME"),
    ),
    "alarms": Sabotage(
        "no value of AWS/ApiGateway Latency", of_resource("ApiLatencyAlarm", "Dimensions|1|Value", "another")
    ),
    "dashboard": Sabotage("no value of AWS/ApiGateway Count", other_stage),
    "gpu": Sabotage("none names CUDA", on_gpu, parameters=SAGEMAKER, backend="sagemaker"),
    "authorization": Sabotage("^403", stale),
    "explorer-switched": Sabotage("^50[0-3]", stale),
    "memory": Sabotage("memory is", of_function("MemorySize", 3008)),
    "cold-start": Sabotage("12000 ms", quirks=Quirks(init_milliseconds=12_000)),
    "stage-name": Sabotage("^403", of_resource("Stage", "StageName", "prod")),
    "rate-limit": Sabotage("rate is", of_resource("Stage", "MethodSettings|0|ThrottlingRateLimit", 50)),
    "burst-limit": Sabotage("burst is", of_resource("Stage", "MethodSettings|0|ThrottlingBurstLimit", 100)),
    "max-concurrency": Sabotage("x 502", without(f"{RESPONSES}|API_CONFIGURATION_ERROR")),
    "access-logs": Sabotage(
        "none of the call",
        of_resource("Stage", "AccessLogSetting|Fn::If|1|Format", '{"status":"$context.status"}'),
    ),
    "log-retention": Sabotage(
        "not 7 days: .*LambdaLogGroup", of_resource("LambdaLogGroup", "RetentionInDays", 30)
    ),
    "url-hosts": Sabotage("^200", of_function("Environment|Variables|URL_HOSTS", "")),
    "user-agent-contact": Sabotage(
        "USER_AGENT_CONTACT is", of_function("Environment|Variables|USER_AGENT_CONTACT", "")
    ),
    "image-buckets": Sabotage("SourceNotAllowed", of_function("Environment|Variables|IMAGE_BUCKETS", "")),
    "rollback": Sabotage("UPDATE_COMPLETE", NO_ACL),
    "web-acl": Sabotage("is none", NO_ACL),
    "web-acl-renamed": Sabotage(
        "verify is none|change failed",
        of_resource(
            "WebAclAssociation",
            "ResourceArn",
            {"Fn::Sub": "arn:${AWS::Partition}:apigateway:${AWS::Region}::/restapis/${RestApi}/stages/prod"},
        ),
    ),
    "web-acl-replaced": Sabotage("is none", without("Resources|WebAclAssociation|UpdateReplacePolicy")),
    "web-acl-rollback": Sabotage("UPDATE_COMPLETE", NO_ACL),
    "vpc": Sabotage(
        "subnets is|security groups is", without("Resources|LambdaFunction|Properties|VpcConfig")
    ),
    "vpc-denied": Sabotage("'allowed'", undenied),
    "vpc-left": Sabotage("left: eni-", quirks=Quirks(keeps_interfaces=True)),
    "kms-key": Sabotage(
        "without the key: .*LambdaLogGroup", without("Resources|LambdaLogGroup|Properties|KmsKeyId")
    ),
    "alarm-topic": Sabotage("ApiErrorsAlarm", without("Resources|ApiErrorsAlarm|Properties|AlarmActions")),
    "manifest": Sabotage("Unsupported manifest media type", outputs=(), backend="sagemaker"),
    "endpoint": Sabotage(
        "3 instances, not 1 to 2",
        of_resource("SageMakerEndpointConfig", "ProductionVariants|0|InitialInstanceCount", 3),
        parameters=SAGEMAKER,
        backend="sagemaker",
    ),
    "scaling": Sabotage("not registered", unscaled, parameters=SAGEMAKER, backend="sagemaker"),
    "instance-metrics": Sabotage(
        "no value of /aws/sagemaker/Endpoints CPUUtilization",
        of_role("SageMakerRole", "cloudwatch:PutMetricData"),
        parameters=SAGEMAKER,
        backend="sagemaker",
    ),
    "instance-type": Sabotage(
        "must be deregistered",
        of_resource("SageMakerEndpoint", "EndpointName", "image-similarity-51af3dc0-fixed"),
        parameters=SAGEMAKER,
        backend="sagemaker",
    ),
    "minimum": Sabotage(
        "1 instances, not 2 to 2",
        both(
            of_resource("SageMakerScalableTarget", "MinCapacity", 1),
            of_resource("SageMakerEndpointConfig", "ProductionVariants|0|InitialInstanceCount", 1),
        ),
        parameters=SAGEMAKER,
        backend="sagemaker",
    ),
    "off": Sabotage("^50[0-3]", stale, backend="off"),
    "one-deployment": Sabotage("are left", kept_deployments, before=("authorization",)),
    "served-always": Sabotage(
        "ImageSimilarity=yes-lambda: 50[0-3]",
        permitted_late,
        parameters={"ImageSimilarity": "no"},
        before=("memory",),
    ),
    "never-open": Sabotage(
        "LambdaMemorySize=.*: 400", put(f"{FEATURE}|post|security", OPEN), before=("memory",)
    ),
    "alike": Sabotage("apart", quirks=by_turns(), before=("vector",), backend="both"),
    "deletion": Sabotage(
        "log group|AWS::Logs::LogGroup", put("Resources|LambdaLogGroup|DeletionPolicy", "Retain")
    ),
}


LEAKING = Sabotage("a line that holds the picture", quirks=Quirks(line=talkative))
"""A second stack for the row `log-line`."""
