"""
Runs one verb of a client and prints its result as JSON, for tests in other languages.

    python3 run_verb.py sync|async VERB '{"args": [...], "options": {...}}'
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


def outcome_of(kind: str, verb: str, call: Any) -> Any:
    """Runs a verb. Returns its result or its exception, and the events."""
    seen = []
    options = dict(call.get("options", {}))
    if options.pop("watch", False):
        options["on_event"] = lambda event: seen.append(event.type)
    if "base64" in (options.get("mask") or {}):
        options["mask"] = base64.b64decode(options["mask"]["base64"])

    async def run() -> Any:
        client = (darkroom.Darkroom if kind == "sync" else darkroom.AsyncDarkroom)(policy=QUICK)
        if verb == "download":
            job = await collect(client.get(call["args"][0]))
            return await collect(client.download(job, *call["args"][1:], **options))
        return await collect(getattr(client, verb)(*call.get("args", []), **options))

    try:
        return {"result": plain(asyncio.run(run())), "events": seen}
    except darkroom.DarkroomError as error:
        return {"error": failure(error), "events": seen}


def main() -> None:
    """Runs the verb of the command line, or the verb once for each list of arguments in `each`."""
    kind, verb, text = sys.argv[1:]
    call = json.loads(text)
    calls = [{"args": args} for args in call["each"]] if "each" in call else [call]
    outcomes = [outcome_of(kind, verb, each) for each in calls]
    print(json.dumps(outcomes if "each" in call else outcomes[0]))


main()
