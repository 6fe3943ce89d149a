"""`verify` without an account: the CloudFormation engine's services, and the real backends on loopback."""
