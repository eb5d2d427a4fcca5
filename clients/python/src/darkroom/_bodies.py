"""Bodies of requests: JSON, forms with files, and single files."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Dict, List, Mapping, Sequence, Tuple, Union

from ._effects import FilePiece, Piece
from .models import Image, ImageJob
from .requests import InputImage
from .results import Upload

File = Union[str, "os.PathLike[str]", bytes, bytearray, memoryview, BinaryIO]
"""A path, bytes, or a file that is open in binary mode, which is read to its end."""
Input = Union[File, Upload, ImageJob, InputImage]
"""A file, a URL, a data URI, an upload, the first image of a job, or a reference as in the API."""


@dataclass(frozen=True)
class Body:
    """A body with its type."""

    content_type: str
    pieces: Sequence[Piece]


def json_body(fields: Mapping[str, Any]) -> Body:
    """Returns a JSON body."""
    return Body("application/json", [json.dumps(fields).encode()])


def file_body(source: File) -> Body:
    """Returns a file as a body. The service detects its type."""
    return Body("application/octet-stream", [_piece(source)])


def edit_body(fields: Mapping[str, Any], inputs: Mapping[str, Sequence[Input]]) -> Body:
    """
    Returns the body of an edit: JSON if every input is a reference, otherwise a form. A form is one request, so that its
    `Idempotency-Key` covers the content of the files.
    """
    references: Dict[str, List[InputImage]] = {}
    files: List[Tuple[str, Piece]] = []
    for role, values in inputs.items():
        for value in values:
            reference = _reference(value)
            if isinstance(reference, dict):
                if any(name == role for name, _ in files):
                    raise ValueError(f"{role}: put files after other inputs, because the service sorts them so")
                references.setdefault(role, []).append(reference)
            else:
                files.append((role, reference))
    single = {role: each[0] for role, each in references.items() if role != "images"}
    images = {"images": references["images"]} if "images" in references else {}
    body = {**fields, **images, **single}
    return form_body(body, files) if files else json_body(body)


def form_body(fields: Mapping[str, Any], files: Sequence[Tuple[str, Piece]]) -> Body:
    """Returns a form. Nested fields are JSON."""
    # The boundary depends on the fields only, so that a repeated request has the same bytes.
    boundary = "darkroom-" + hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()
    pieces: List[Piece] = []
    for name, value in fields.items():
        text = value if isinstance(value, str) else json.dumps(value)
        pieces.append(f'--{boundary}\r\ncontent-disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'.encode())
    for role, piece in files:
        name = "image[]" if role == "images" else role
        head = f'--{boundary}\r\ncontent-disposition: form-data; name="{name}"; filename="file"\r\n'
        pieces += [f"{head}content-type: application/octet-stream\r\n\r\n".encode(), piece, b"\r\n"]
    pieces.append(f"--{boundary}--\r\n".encode())
    return Body(f"multipart/form-data; boundary={boundary}", pieces)


def inputs_of(value: Union[Input, Sequence[Input]]) -> List[Input]:
    """Returns one or several inputs as a list."""
    return list(value) if isinstance(value, (list, tuple)) else [value]  # type: ignore[list-item]


def _reference(value: Input) -> Union[InputImage, Piece]:
    """Returns an input as a reference of the API, or the bytes of a file."""
    if isinstance(value, Upload):
        return {"upload_id": value.id}
    if isinstance(value, ImageJob):
        return {"image_id": value.id, "index": value.images[0].index if value.images else 0}
    if isinstance(value, Image):
        raise TypeError("An image does not know its job. Pass the job, or {'image_id': job.id, 'index': image.index}.")
    if isinstance(value, dict):
        return value
    if isinstance(value, str) and value.startswith(("https://", "http://")):
        return {"url": value}
    if isinstance(value, str) and value.startswith("data:"):
        return {"data": value}
    return _piece(value)


def _piece(source: File) -> Piece:
    if isinstance(source, (bytes, bytearray, memoryview)):
        return bytes(source)
    if not isinstance(source, (str, os.PathLike)):
        # A repeat of the request needs the bytes again.
        content = source.read()
        if not isinstance(content, bytes):
            raise TypeError("Open the file in binary mode, because an image is bytes.")
        return content
    path = Path(source)
    if not path.is_file():
        # A pipe can be read once only. A folder and a missing file raise here, before any request.
        return path.read_bytes()
    with open(path, "rb") as file:
        return FilePiece(path, os.fstat(file.fileno()).st_size)
