"""Settings that both clients share."""

from __future__ import annotations

import os
from typing import Optional
from urllib.parse import urlsplit

from ._call import Policy
from ._operations import Operations


def operations_of(url: Optional[str], api_key: Optional[str], policy: Optional[Policy]) -> Operations:
    """
    Returns the operations of a service. The defaults are `DARKROOM_URL` and `DARKROOM_API_KEY`. An empty argument is
    refused, because the defaults may be those of another service.
    """
    base_url = (os.environ.get("DARKROOM_URL") or "http://localhost:8080") if url is None else url
    base_url = base_url.rstrip("/")
    key = ((os.environ.get("DARKROOM_API_KEY") or "") if api_key is None else api_key).strip()
    parts = urlsplit(base_url)
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("The URL of the service must not contain a user, a query or a fragment.")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"The URL of the service must begin with http:// or https://: {base_url}")
    if not key:
        raise ValueError("Pass api_key, or set DARKROOM_API_KEY.")
    if not key.isascii() or not key.isprintable():
        raise ValueError("The API key contains characters that no key has.")
    return Operations(base_url, key, policy or Policy())
