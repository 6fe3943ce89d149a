"""A CloudFormation engine over mocked services, with which the tests prove the template."""
