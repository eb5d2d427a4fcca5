"""Waiting for the end of a job: by event stream, and by long poll if streams do not pass."""

from __future__ import annotations

import time
from typing import Dict, Optional

from ._call import Deadline, Policy, Reply, error_of, pause_after, read_all, retry_after
from ._effects import Close, Emit, Open, Operation, Read, Request, Response, Sleep
from ._events import EventParser
from .errors import ConnectionFailed, DarkroomError, ServiceError
from .models import ImageJob

MAX_BROKEN_STREAMS = 2
"""Streams that break without an event before the client polls."""
STREAM_START_S = 10.0
"""The service sends the first bytes at once. A proxy that holds them longer buffers the stream."""
STREAM_SILENCE_S = 40.0
"""The service sends a comment every 15 seconds."""
LONG_POLL_S = 25
"""Some proxies cut every response after 30 seconds."""


class Wait:
    """One wait. It remembers the last event, so that every event is emitted once over all connections."""

    def __init__(self, url: str, headers: Dict[str, str], policy: Policy, deadline: Deadline) -> None:
        self._url = url
        self._headers = headers
        self._policy = policy
        self._deadline = deadline
        self._last_event_id = "0"
        self._failures = 0
        self._broken_streams = 0

    def run(self, job_id: str) -> Operation[ImageJob]:
        """Returns the ended job."""
        try:
            while True:
                try:
                    can_stream = self._broken_streams < MAX_BROKEN_STREAMS
                    job = yield from (self._stream() if can_stream else self._poll())
                    if job:
                        return job
                except (ConnectionFailed, ServiceError) as error:
                    self._failures += 1
                    yield from pause_after(error, self._failures, self._policy, self._deadline)
        except DarkroomError as error:
            error.job_id = job_id
            raise

    def _stream(self) -> Operation[Optional[ImageJob]]:
        """Emits the events of one stream. Returns the job if the stream contains its end."""
        headers = {**self._headers, "accept": "text/event-stream", "last-event-id": self._last_event_id}
        self._broken_streams += 1
        response = yield Open(
            Request("GET", f"{self._url}/events", headers), self._deadline.limit(STREAM_START_S)
        )
        if response.status == 204:
            yield Close(response)
            return (yield from self._poll())
        if response.status != 200:
            body = yield from read_all(response, self._policy, self._deadline)
            raise error_of(response, body)
        job = yield from self._events_of(response)
        yield Close(response)
        if job is None:
            raise ConnectionFailed("the event stream ended before the job")
        return job

    def _events_of(self, response: Response) -> Operation[Optional[ImageJob]]:
        parser, silence_s = EventParser(), STREAM_START_S
        while True:
            data = yield Read(response, self._deadline.limit(silence_s))
            silence_s = STREAM_SILENCE_S
            if not data:
                return None
            for received in parser.feed(data):
                self._progress()
                self._last_event_id = received.id or self._last_event_id
                yield Emit(received.event)
                if received.event.job:
                    return received.event.job

    def _poll(self) -> Operation[Optional[ImageJob]]:
        """Waits by one long poll. Returns the job if it has ended."""
        wait_s = max(1, int(self._deadline.limit(LONG_POLL_S)))
        started = time.monotonic()
        request = Request("GET", f"{self._url}?wait={wait_s}", self._headers)
        response = yield Open(request, self._deadline.limit(wait_s + self._policy.read_timeout_s))
        body = yield from read_all(response, self._policy, self._deadline)
        if response.status != 200:
            raise error_of(response, body)
        job = Reply(response.status, response.headers, body).read(ImageJob)
        self._failures = 0
        if job.has_ended:
            return job
        # The service does not wait if it holds too many polls.
        if time.monotonic() - started < 1:
            yield Sleep(self._deadline.limit(retry_after(response.headers.get("retry-after")) or 1))
        return None

    def _progress(self) -> None:
        self._failures = 0
        self._broken_streams = 0
