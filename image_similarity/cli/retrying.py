"""How long to wait before a call is made again."""

import email.utils
from datetime import UTC, datetime

BUSY = frozenset({429, 503})
"""Statuses of an API that is to be asked again."""
MAX_WAIT_SECONDS = 30.0


def waiting_time(retry_after: str | None, attempt: int) -> float:
    """Seconds before the next try, 0 to MAX_WAIT_SECONDS.

    Args:
        retry_after: the header's value (RFC 9110 section 10.2.3): seconds or a date. Anything else counts as
            none.
        attempt: how many tries there were; without a value it is waited twice as long after each.
    """
    seconds = float(2 ** (attempt - 1))
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        seconds = float(text[:9])
    elif text:
        try:
            date = email.utils.parsedate_to_datetime(text)
            seconds = (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
        except (ValueError, OverflowError):
            pass
    return min(max(seconds, 0.0), MAX_WAIT_SECONDS)
