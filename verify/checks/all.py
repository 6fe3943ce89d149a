"""Every row, in the order of the page and of a run."""

from verify.checks import (
    catalogue,
    catalogue_changes,
    contract,
    deletion,
    network,
    operation,
    parameters,
    refusals,
    sagemaker,
    stack,
    updates,
)
from verify.rows import Row

LAST: tuple[Row, ...] = (*stack.AFTER_UPDATES, *updates.AFTER_UPDATES)
"""Looked at when all changes have been made."""
ROWS: tuple[Row, ...] = (
    *stack.ROWS,
    *contract.ROWS,
    *refusals.ROWS,
    *operation.ROWS,
    *parameters.ROWS,
    *network.ROWS,
    *catalogue.ROWS,
    *catalogue_changes.ROWS,
    *sagemaker.ROWS,
    *updates.OFF,
    *LAST,
    *catalogue_changes.AT_THE_END,
    *deletion.ROWS,
)
