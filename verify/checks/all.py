"""Every row, in the order of the page and of a run."""

from verify.checks import catalogue, contract, deletion, network, operation, parameters, sagemaker, stack
from verify.rows import Row

LAST: tuple[Row, ...] = (*stack.AFTER_UPDATES, *parameters.AFTER_UPDATES)
"""Looked at when all changes have been made."""
ROWS: tuple[Row, ...] = (
    *stack.ROWS,
    *contract.ROWS,
    *operation.ROWS,
    *parameters.ROWS,
    *network.ROWS,
    *catalogue.ROWS,
    *sagemaker.ROWS,
    *parameters.OFF,
    *LAST,
    *deletion.ROWS,
)
