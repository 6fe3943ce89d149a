"""Runs the synthesized stack on this machine, and the CloudFormation engine that the tests use."""
