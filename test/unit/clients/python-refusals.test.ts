import { describe, expect, it } from 'vitest';
import { hasPython, runPython } from '../../support/python-client.ts';
import { respondWith, type Script, serve } from '../../support/scripted-server.ts';

/** Python functions that run a call of both clients. `both` returns their outcome, which must be the same. */
const support = `
import asyncio, inspect, json, os, tempfile
from darkroom import AsyncDarkroom, Darkroom, Policy

folder = tempfile.mkdtemp()
file = os.path.join(folder, "photo.png")
with open(file, "wb") as photo:
    photo.write(b"bytes")
quick = Policy(max_attempts=2, first_delay_s=0.01)

async def value_of(result):
    if hasattr(result, "__aiter__"):
        return [each async for each in result]
    if inspect.isawaitable(result):
        return await result
    return list(result) if hasattr(result, "__next__") else result

async def run(call, client):
    return await value_of(call(client))

def outcome(call, kind):
    try:
        return str(asyncio.run(run(call, kind(policy=quick))))
    except Exception as error:
        return f"{type(error).__name__}: {error}".replace(folder, "")

def both(call):
    first, second = outcome(call, Darkroom), outcome(call, AsyncDarkroom)
    return first if first == second else [first, second]
`;

/** Runs a Python program against a server. Returns the JSON that it prints, and the requests that the server got. */
async function runAgainst(script: Script, program: string) {
  const server = await serve(script);
  const printed = await runPython(['-c', support + program], { url: server.url });
  return { printed: JSON.parse(printed), requests: server.seen };
}

const empty = respondWith(404, '');

describe.skipIf(!hasPython)('refusals of the Python client', () => {
  it('both clients refuse an edit without an image before any request, because it would be a paid generation', async () => {
    const { printed, requests } = await runAgainst(
      empty,
      `
calls = [
    lambda client: client.edit("x", []),
    lambda client: client.edit("x", ()),
    lambda client: client.edit("x", None, mask=b"mask"),
    lambda client: client.estimate("x", images=[]),
]
print(json.dumps([both(call) for call in calls]))
`,
    );
    expect(printed).toEqual(Array(4).fill('ValueError: images must contain at least one input.'));
    expect(requests).toEqual([]);
  });

  it('both clients refuse an empty key, address or id instead of a default in its place', async () => {
    const { printed, requests } = await runAgainst(
      empty,
      `
verbs = ("get", "wait", "events", "cancel", "erase", "vary", "retry")
print(json.dumps([
    [both(lambda client: client.generate("x", idempotency_key="")), both(lambda client: client.retry("a", idempotency_key=""))],
    [both(lambda _: kind(**given)) for kind in (Darkroom, AsyncDarkroom) for given in ({"url": ""}, {"api_key": ""})],
    [both(lambda client: getattr(client, verb)(id)) for verb in verbs for id in ("", ".", "..")],
]))
`,
    );
    const [keys, settings, ids] = printed;
    const wrongKey = 'ValueError: idempotency_key must be 1 to 255 visible ASCII characters without spaces.';
    expect(keys).toEqual([wrongKey, wrongKey]);
    const wrongUrl = 'ValueError: The URL of the service must begin with http:// or https://: ';
    const noKey = 'ValueError: Pass api_key, or set DARKROOM_API_KEY.';
    expect(settings).toEqual([wrongUrl, noKey, wrongUrl, noKey]);
    const wrongIds = ['', '.', '..'].map((id) => `ValueError: job_id must be the id of a job, not '${id}'.`);
    expect(ids).toEqual(Array(7).fill(wrongIds).flat());
    expect(requests).toEqual([]);
  });

  it('both clients raise the error of a local file at once, not as a fault of the network', async () => {
    const { printed, requests } = await runAgainst(
      empty,
      `
missing = os.path.join(folder, "missing.png")
calls = [call for path in (folder, missing) for call in (
    lambda client, path=path: client.edit("x", path),
    lambda client, path=path: client.upload(path),
)]
before = [both(call) for call in calls]

import darkroom._bodies as bodies
made = bodies.FilePiece
def vanishing(path, size):
    return made(missing, size)
def shrinking(path, size):
    return made(path, size + 1)
bodies.FilePiece = vanishing
after = [both(lambda client: client.upload(file))]
bodies.FilePiece = shrinking
after.append(both(lambda client: client.upload(file)))
print(json.dumps([before, after]))
`,
    );
    const [before, after] = printed;
    const isFolder = expect.stringMatching(/^IsADirectoryError: .*''$/);
    const isMissing = expect.stringMatching(/^FileNotFoundError: .*'\/missing.png'$/);
    expect(before).toEqual([isFolder, isFolder, isMissing, isMissing]);
    expect(after).toEqual([isMissing, expect.stringMatching(/^OSError: .*became shorter.*photo.png'$/)]);
    expect(requests).toEqual([]);
  });

  it('both clients do not send options and filters that are None', async () => {
    const { requests } = await runAgainst(
      empty,
      `
both(lambda client: client.generate("x", quality=None, n=2, metadata=None))
both(lambda client: client.edit("x", b"bytes", quality=None, n=2))
both(lambda client: client.estimate("x", images=None, size=None))
both(lambda client: client.list(status=None, limit=3, metadata=None))
print("null")
`,
    );
    const sent = requests.map(({ path, body }) => [path, body.match(/\{.*\}|; name="\w+/g) ?? []]);
    const generated = ['/v1/images', ['{"prompt": "x", "n": 2}']];
    const edited = ['/v1/images', ['; name="prompt', '; name="n', '; name="image']];
    const estimated = ['/v1/images?dry_run=true', ['{"prompt": "x"}']];
    const listed = ['/v1/images?limit=3', []];
    expect(sent).toEqual([generated, edited, estimated, listed].flatMap((each) => [each, each]));
  });

  it('both clients name the first invalid fields in the message of an exception', async () => {
    const errors = [1, 2, 3, 4, 5].map((no) => ({ pointer: `/field${no}`, detail: 'Must be text.' }));
    const problem = { code: 'validation_failed', detail: 'Correct the fields.', status: 422, errors };
    const { printed } = await runAgainst(
      respondWith(422, problem),
      `print(json.dumps(both(lambda client: client.generate("x"))))`,
    );
    expect(printed).toBe(
      'ValidationFailed: validation_failed: Correct the fields. /field1: Must be text. /field2: Must be text. /field3: Must be text. (and 2 more)',
    );
  });
});
