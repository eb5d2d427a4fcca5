"""Prints the fields of all types as JSON, for a comparison with the API document."""

import dataclasses
import json
import typing

from darkroom import models, requests, results, values


def is_optional(hint: object) -> bool:
    """Returns whether a type includes None."""
    return type(None) in typing.get_args(hint)


def main() -> None:
    """Prints dataclasses with the fields that may be None, requests, and values."""
    classes = {}
    for module in (models, results):
        for name, each in vars(module).items():
            if isinstance(each, type) and dataclasses.is_dataclass(each):
                hints = typing.get_type_hints(each)
                classes[name] = {field.name: is_optional(hints[field.name]) for field in dataclasses.fields(each)}
    dicts = {
        name: sorted(typing.get_type_hints(each))
        for name, each in vars(requests).items()
        if isinstance(each, type(requests.InputImage)) and not name.startswith("_")
    }
    literals = {name: typing.get_args(each) for name, each in vars(values).items() if typing.get_args(each)}
    print(json.dumps({"classes": classes, "dicts": dicts, "literals": literals}))


main()
