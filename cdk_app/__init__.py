"""The infrastructure: a CDK app whose one stack is switched by CloudFormation parameters."""

from cdk_app import node

node.use_wheel()
