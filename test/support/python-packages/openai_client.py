"""Makes one call with the official client and prints its result as JSON.

Arguments: base URL, API key, name of the call, its options as JSON. Ends when its standard input ends, so that a killed
parent process leaves no client behind.
"""

import json
import os
import sys
import threading
from contextlib import ExitStack

from openai import APIStatusError, OpenAI


def exit_with_parent():
    sys.stdin.read()
    os._exit(1)


def images_of(response):
    return [each.b64_json or each.url for each in response.data]


def read_stream(stream):
    events = list(stream)
    images = [event.b64_json for event in events if event.type.endswith(".completed")]
    return {"images": images, "events": [event.type for event in events]}


def generate(client, options):
    response = client.images.generate(**options)
    return read_stream(response) if options.get("stream") else {"images": images_of(response)}


def edit(client, options):
    with ExitStack() as stack:
        opened = lambda path: stack.enter_context(open(path, "rb"))
        image = options["image"]
        files = {"image": [opened(path) for path in image] if isinstance(image, list) else opened(image)}
        if "mask" in options:
            files["mask"] = opened(options["mask"])
        response = client.images.edit(**{**options, **files})
        return read_stream(response) if options.get("stream") else {"images": images_of(response)}


def models(client, options):
    return {"models": [model.id for model in client.models.list()]}


def main():
    base_url, api_key, call, options = sys.argv[1:5]
    threading.Thread(target=exit_with_parent, daemon=True).start()
    calls = {"generate": generate, "edit": edit, "models": models}
    options = json.loads(options)
    client = OpenAI(base_url=base_url, api_key=api_key, max_retries=options.pop("max_retries", 2))
    try:
        result = calls[call](client, options)
    except APIStatusError as error:
        result = {"error": {"status": error.status_code, "code": error.code, "message": str(error)}}
    except Exception as error:
        result = {"error": {"code": type(error).__name__, "message": str(error)}}
    print(json.dumps(result))


main()
