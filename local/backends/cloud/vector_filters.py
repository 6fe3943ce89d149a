"""The filters of S3 Vectors on metadata (user guide, "Metadata filtering")."""

from collections.abc import Callable, Mapping
from typing import Any

from local.backends.cloud.vector_rules import invalid

MAX_CONSTRAINTS = 100
Test = Callable[[Mapping[str, Any]], bool]
ABSENT = object()


class Filter:
    """A filter as QueryVectors has it; none: everything matches.

    Args:
        document: of the request.
        unfiltered: keys that can't be filtered by.
        prefixes: whether $startsWith is known.
    """

    def __init__(self, document: object, unfiltered: frozenset[str], *, prefixes: bool) -> None:
        self._unfiltered, self._prefixes, self._constraints = unfiltered, prefixes, 0
        self.matches: Test = self._all(document) if document is not None else lambda metadata: True

    def _all(self, document: object) -> Test:
        if not isinstance(document, dict) or not document:
            raise invalid("Invalid filter: expected an object with conditions")
        tests = [self._one(key, condition) for key, condition in document.items()]
        return lambda metadata: all(test(metadata) for test in tests)

    def _one(self, key: str, condition: object) -> Test:
        if key in {"$and", "$or"}:
            if not isinstance(condition, list) or not condition:
                raise invalid(f"Invalid filter: {key} needs a list of conditions")
            tests, join = [self._all(each) for each in condition], all if key == "$and" else any
            return lambda metadata: join(test(metadata) for test in tests)
        if key.startswith("$"):
            raise invalid(f"Invalid filter: unknown operator {key}")
        if key in self._unfiltered:
            raise invalid(f"Invalid filter: '{key}' is not filterable")
        operators = condition if isinstance(condition, dict) else {"$eq": condition}
        tests = [self._operator(key, name, value) for name, value in operators.items()]
        return lambda metadata: all(test(metadata) for test in tests)

    def _operator(self, key: str, name: str, value: Any) -> Test:  # noqa: ANN401 - JSON
        self._constraints += 1
        if self._constraints > MAX_CONSTRAINTS:
            raise invalid(f"Invalid filter: more than {MAX_CONSTRAINTS} constraints")
        operators = OPERATORS | ({"$startsWith": _starts_with} if self._prefixes else {})
        if name not in operators:
            raise invalid(f"Invalid filter: unknown operator {name}")
        if EXPECTED.get(name) and not isinstance(value, EXPECTED[name]):
            raise invalid(f"Invalid filter: {name} of '{key}' has a value of a wrong type")
        test = operators[name]
        return lambda metadata: test(metadata.get(key, ABSENT), value)


def _equals(found: Any, value: Any) -> bool:  # noqa: ANN401 - JSON
    each = found if isinstance(found, list) else [found]
    return any(type(one) is type(value) and one == value for one in each)


def _compared(compare: Callable[[float, float], bool]) -> Callable[[Any, Any], bool]:
    def test(found: Any, value: Any) -> bool:  # noqa: ANN401 - JSON
        number = isinstance(found, int | float) and not isinstance(found, bool)
        return number and compare(found, value)

    return test


def _starts_with(found: Any, value: Any) -> bool:  # noqa: ANN401 - JSON
    return isinstance(found, str) and found.startswith(value)


OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "$eq": _equals,
    "$ne": lambda found, value: not _equals(found, value),
    "$gt": _compared(lambda found, value: found > value),
    "$gte": _compared(lambda found, value: found >= value),
    "$lt": _compared(lambda found, value: found < value),
    "$lte": _compared(lambda found, value: found <= value),
    "$in": lambda found, value: any(_equals(found, one) for one in value),
    "$nin": lambda found, value: not any(_equals(found, one) for one in value),
    "$exists": lambda found, value: (found is not ABSENT) == value,
}
EXPECTED: dict[str, Any] = {
    **dict.fromkeys(("$gt", "$gte", "$lt", "$lte"), (int, float)),
    **dict.fromkeys(("$in", "$nin"), list),
    "$exists": bool,
    "$startsWith": str,
}
