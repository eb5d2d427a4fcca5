import { describe, expect, it } from 'vitest';
import { hasPython, runPython } from '../../support/python-client.ts';

const program = `
import io, json, tempfile
from darkroom import ConnectionFailed, Darkroom, ImageJob
from darkroom._bodies import edit_body
from darkroom._call import Reply
from darkroom._events import EventParser

def parts(*images):
    body = edit_body({"prompt": "x"}, {"images": images})
    files = [each for each in body.pieces if each in (b"bytes", b"array", b"stream")]
    return [body.content_type.partition(";")[0], [each.decode() for each in files] or json.loads(body.pieces[0])]

def refused(work):
    try:
        return work()
    except (TypeError, ValueError, ConnectionFailed) as error:
        return f"{type(error).__name__}: {error}"

print(json.dumps([
    parts(b"bytes", bytearray(b"array"), io.BytesIO(b"stream")),
    parts("data:image/png;base64,AA==", "https://images.example/1.png"),
    refused(lambda: parts(io.StringIO("text"))),
    *[refused(lambda: Darkroom(url, "key")) for url in ("localhost:8080", "https://u:p@a", "https://a?b=c", "https://a#b")],
    *[refused(lambda: Darkroom(api_key="key").generate("x", idempotency_key=key)) for key in ("a\\nb", "\u72d0", "x" * 256)],
    refused(lambda: Reply(200, {}, b"[1]").read(ImageJob)),
    refused(lambda: list(EventParser().feed(b'data: {"type\\n\\n'))),
    refused(lambda: list(EventParser().feed(b'data: "\\xff"\\n\\n'))),
]))
`;

describe.skipIf(!hasPython)('inputs of the Python client', () => {
  it('sends bytes, open files and data URIs, and refuses other inputs and damaged responses', async () => {
    const printed = await runPython(['-c', program], { url: 'http://localhost' });
    expect(JSON.parse(printed)).toEqual([
      ['multipart/form-data', ['bytes', 'array', 'stream']],
      [
        'application/json',
        {
          prompt: 'x',
          images: [{ data: 'data:image/png;base64,AA==' }, { url: 'https://images.example/1.png' }],
        },
      ],
      'TypeError: Open the file in binary mode, because an image is bytes.',
      'ValueError: The URL of the service must begin with http:// or https://: localhost:8080',
      'ValueError: The URL of the service must not contain a user, a query or a fragment.',
      'ValueError: The URL of the service must not contain a user, a query or a fragment.',
      'ValueError: The URL of the service must not contain a user, a query or a fragment.',
      'ValueError: idempotency_key must be 1 to 255 visible ASCII characters without spaces.',
      'ValueError: idempotency_key must be 1 to 255 visible ASCII characters without spaces.',
      'ValueError: idempotency_key must be 1 to 255 visible ASCII characters without spaces.',
      'ConnectionFailed: the response is not of Darkroom: ImageJob: the service sent list instead of an object',
      'ConnectionFailed: the connection damaged an event',
      'ConnectionFailed: the connection damaged an event',
    ]);
  });
});
