"""An account behind boto3, as `verify.cloud` describes one."""
