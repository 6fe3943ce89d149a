"""A template and parameter values in, the resources that CloudFormation would make of them out."""
