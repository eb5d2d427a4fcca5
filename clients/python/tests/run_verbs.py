"""
Runs verbs of the clients and prints their results as JSON, for tests in other languages.

Each line of the input is a call with `kind` ("sync" or "async"), `verb`, `url`, `api_key`, `args` and `options`.
Each line of the output is the outcome of a call, in the order of the calls. The program ends with its input.
"""

import asyncio
import base64
import dataclasses
import inspect
import json
import sys
from typing import Any

import darkroom

QUICK = darkroom.Policy(first_delay_s=0.05, max_delay_s=0.2)


def plain(value: Any) -> Any:
    """Returns a value that JSON can express."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name)) for each in dataclasses.fields(value)}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    return value if value is None or isinstance(value, (str, int, float, bool, dict)) else str(value)


def failure(error: Exception) -> Any:
    """Returns the public facts of an exception."""
    names = ("code", "status", "retryable", "retry_after_s", "attempts", "job_id", "idempotency_key", "billing")
    facts = {name: getattr(error, name, None) for name in names}
    classes = [each.__name__ for each in type(error).__mro__]
    extra = {"issues": plain(getattr(error, "issues", None)), "budget": plain(getattr(error, "budget", None))}
    return {"class": classes[0], "classes": classes, "message": str(error), **facts, **extra}


async def collect(result: Any) -> Any:
    """Returns the result of a verb of either client."""
    if inspect.isawaitable(result):
        return await result
    if hasattr(result, "__aiter__"):
        return [each async for each in result]
    return list(result) if inspect.isgenerator(result) else result


def outcome_of(call: Any) -> Any:
    """Runs a verb. Returns its result or its exception, and the events."""
    verb, args, options = call["verb"], call["args"], call["options"]
    seen = []
    if options.pop("watch", False):
        options["on_event"] = lambda event: seen.append(event.type)
    if "base64" in (options.get("mask") or {}):
        options["mask"] = base64.b64decode(options["mask"]["base64"])

    async def run() -> Any:
        create = darkroom.Darkroom if call["kind"] == "sync" else darkroom.AsyncDarkroom
        client = create(call["url"], call["api_key"], policy=QUICK)
        if verb == "download":
            job = await collect(client.get(args[0]))
            return await collect(client.download(job, *args[1:], **options))
        return await collect(getattr(client, verb)(*args, **options))

    try:
        return {"result": plain(asyncio.run(run())), "events": seen}
    except darkroom.DarkroomError as error:
        return {"error": failure(error), "events": seen}


def main() -> None:
    """Runs the calls one after the other."""
    for line in sys.stdin:
        print(json.dumps(outcome_of(json.loads(line))), flush=True)


main()
