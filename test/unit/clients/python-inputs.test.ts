import { describe, expect, it } from 'vitest';
import { hasPython, runPython } from '../../support/python-client.ts';

const program = `
import io, json, tempfile
from darkroom import ConnectionFailed
from darkroom._bodies import edit_body
from darkroom._events import EventParser

def parts(*images):
    body = edit_body({"prompt": "x"}, {"images": images})
    files = [each for each in body.pieces if each in (b"bytes", b"array", b"stream")]
    return [body.content_type.partition(";")[0], [each.decode() for each in files] or json.loads(body.pieces[0])]

def refused(work):
    try:
        return work()
    except (TypeError, ConnectionFailed) as error:
        return f"{type(error).__name__}: {error}"

print(json.dumps([
    parts(b"bytes", bytearray(b"array"), io.BytesIO(b"stream")),
    parts("data:image/png;base64,AA==", "https://images.example/1.png"),
    refused(lambda: parts(io.StringIO("text"))),
    refused(lambda: list(EventParser().feed(b'data: {"type\\n\\n'))),
    refused(lambda: list(EventParser().feed(b'data: "\\xff"\\n\\n'))),
]))
`;

describe.skipIf(!hasPython)('inputs of the Python client', () => {
  it('sends bytes, open files and data URIs, and refuses files in text mode and damaged events', async () => {
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
      'ConnectionFailed: the connection damaged an event',
      'ConnectionFailed: the connection damaged an event',
    ]);
  });
});
