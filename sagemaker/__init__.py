"""The SageMaker backend: a serving process around the shared module."""
