"""What the API calls, on this machine: Lambda functions, SageMaker endpoints, the model that they serve."""
