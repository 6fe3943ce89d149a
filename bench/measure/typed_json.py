"""JSON values into typed records (dataclasses): a misspelt or missing field is an error that names it."""

from dataclasses import MISSING, fields, is_dataclass
from types import NoneType, UnionType
from typing import TypeVar, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")


def read(kind: type[T], value: object) -> T:
    """A record of that class from what `json.loads` gave.

    Args:
        kind: a dataclass whose fields are numbers, strings, dataclasses, lists, dictionaries or None.
        value: the parsed JSON; keys of dictionaries by number are strings there.

    Raises:
        ValueError: a field is missing, unknown or of another type; the message has its path.
    """
    return cast("T", _convert(kind, value, kind.__name__))


def _convert(kind: object, value: object, where: str) -> object:
    origin, parameters = get_origin(kind), get_args(kind)
    if origin is UnionType:
        if value is None and NoneType in parameters:
            return None
        (kind,) = (one for one in parameters if one is not NoneType)
        return _convert(kind, value, where)
    if isinstance(kind, type) and is_dataclass(kind):
        return _record(kind, _checked(dict, value, where), where)
    if origin is list:
        items = enumerate(_checked(list, value, where))
        return [_convert(parameters[0], item, f"{where}[{number}]") for number, item in items]
    if origin is dict:
        pairs = _checked(dict, value, where).items()
        return {
            _key(parameters[0], key, where): _convert(parameters[1], item, f"{where}.{key}")
            for key, item in pairs
        }
    if kind is float and type(value) is int:
        return float(value)
    return _checked(cast("type[object]", kind), value, where)


def _key(kind: type[T], key: str, where: str) -> T:
    """JSON has no keys but strings."""
    try:
        return kind(key)  # type: ignore[call-arg]  # int or str
    except ValueError as error:
        raise ValueError(f"{where}: a key of type {kind.__name__} expected, {key!r} found") from error


def _record(kind: type[object], values: dict[str, object], where: str) -> object:
    hints = get_type_hints(kind)
    optional = {
        field.name
        for field in fields(kind)  # type: ignore[arg-type]  # the caller knows that it is a dataclass
        if field.default is not MISSING or field.default_factory is not MISSING
    }
    unknown, missing = values.keys() - hints.keys(), hints.keys() - values.keys() - optional
    if unknown or missing:
        raise ValueError(f"{where}: unknown fields {sorted(unknown)}, missing fields {sorted(missing)}")
    return kind(**{name: _convert(hints[name], value, f"{where}.{name}") for name, value in values.items()})


def _checked(kind: type[T], value: object, where: str) -> T:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"{where}: {kind.__name__} expected, {type(value).__name__} found")
    return value
