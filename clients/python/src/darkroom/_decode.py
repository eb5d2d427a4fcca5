"""Conversion of JSON to dataclasses. Unknown fields are ignored, because later releases of the service may add some."""

from __future__ import annotations

import dataclasses
from functools import lru_cache
from typing import Any, Callable, Dict, Tuple, Type, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")
Convert = Callable[[Any], Any]


def decode(cls: Type[T], value: Any) -> T:
    """Returns an instance of a dataclass. Fields that are absent are None."""
    if not isinstance(value, dict):
        raise ValueError(f"{cls.__name__}: the service sent {type(value).__name__} instead of an object")
    members = {
        name: convert(value[name]) if name in value else default
        for name, (convert, default) in _fields_of(cls).items()  # type: ignore[arg-type]
    }
    return cls(**members)


@lru_cache(maxsize=None)
def _fields_of(cls: Type[Any]) -> Dict[str, Tuple[Convert, Any]]:
    hints = get_type_hints(cls)
    return {each.name: (_converter(hints[each.name]), _default_of(each)) for each in dataclasses.fields(cls)}


def _default_of(field: "dataclasses.Field[Any]") -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return None if field.default is dataclasses.MISSING else field.default


def _list_of(value: Any) -> "list[Any]":
    if not isinstance(value, list):
        raise ValueError(f"the service sent {type(value).__name__} instead of a list")
    return value


def _converter(hint: Any) -> Convert:
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return lambda value: decode(hint, value)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Union and len(arguments) == 2 and type(None) in arguments:
        [inner] = [_converter(each) for each in arguments if each is not type(None)]
        return lambda value: None if value is None else inner(value)
    if origin is list:
        item = _converter(arguments[0])
        return lambda value: [item(each) for each in _list_of(value)]
    return lambda value: value
