import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { inspectResponse } from '../../../../../../src/outbound/providers/openai/images/inspect-response.ts';
import { chunked, noiseImage } from '../../../../../support/images.ts';

let base64: string;
beforeAll(async () => {
  base64 = (await noiseImage(24, 17)).toString('base64');
});

const output = () => [{ type: 'image_generation_call', id: 'ig_1', status: 'generating', result: base64 }];

async function check(text: string, chunkBytes = 512) {
  const parts: Uint8Array[] = [];
  let named: string | undefined;
  const finding = await inspectResponse(chunked(Buffer.from(text), chunkBytes), async (whole, id) => {
    named = id;
    for await (const part of whole) parts.push(part);
  });
  return { finding, delivered: Buffer.concat(parts).toString(), named };
}

describe('inspecting a background response', () => {
  it('delivers a completed response byte for byte, for any chunks', async () => {
    const text = JSON.stringify(
      { id: 'resp_1', status: 'completed', output: output(), note: 'é"\\' },
      null,
      1,
    );
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 3_000 }), async (chunkBytes) => {
        const { finding, delivered, named } = await check(text, chunkBytes);
        expect(finding).toEqual({ kind: 'delivered' });
        expect(delivered).toBe(text);
        expect(named).toBe('resp_1');
      }),
      { numRuns: 60 },
    );
  });

  it.each(['queued', 'in_progress', 'a status of tomorrow'])(
    'reports a %s response as in progress',
    async (status) => {
      for (const members of [{ output: [] }, { output: output() }]) {
        const { finding, delivered } = await check(JSON.stringify({ id: 'resp_1', status, ...members }));
        expect(finding).toEqual({ kind: 'in_progress', id: 'resp_1' });
        expect(delivered).toBe('');
      }
    },
  );

  it.each(['failed', 'incomplete', 'cancelled'])(
    'reports a %s response without an image as failed',
    async (status) => {
      const error = { code: 'server_error', message: 'x' };
      const { finding, delivered } = await check(JSON.stringify({ id: 'resp_1', status, error, output: [] }));
      expect(finding).toMatchObject({ kind: 'failed', state: { id: 'resp_1', status, error } });
      expect(delivered).toBe('');
    },
  );

  it.each(['failed', 'incomplete', 'cancelled'])('delivers the image of a %s response', async (status) => {
    const text = JSON.stringify({ id: 'resp_1', status, output: output() });
    expect(await check(text)).toMatchObject({ finding: { kind: 'delivered' }, delivered: text });
  });

  it('delivers a completed response without an image, because it may have been charged', async () => {
    const text = JSON.stringify({ id: 'resp_1', status: 'completed', output: [], usage: {} });
    expect(await check(text)).toMatchObject({ finding: { kind: 'delivered' }, delivered: text });
  });

  it('delivers an image whose response contains its status after the image', async () => {
    const text = JSON.stringify({ output: output(), status: 'completed', id: 'resp_1' });
    expect(await check(text)).toMatchObject({
      finding: { kind: 'delivered' },
      delivered: text,
      named: undefined,
    });
  });

  it('ignores the status of an output item', async () => {
    const items = [{ type: 'reasoning', status: 'completed', id: 'rs_1' }];
    const text = JSON.stringify({ output: items, status: 'in_progress', id: 'resp_1' });
    expect((await check(text)).finding).toEqual({ kind: 'in_progress', id: 'resp_1' });
  });

  it.each([
    ['a web page', '<html></html>', /web page/],
    ['nothing', '', /empty/],
    ['a list', '[]', /JSON list/],
    ['half of one', '{"id":"resp_1","sta', /cut off/],
    ['broken JSON', '{"id":01}', /not valid JSON/],
    ['too much', `{"note":[${'1,'.repeat(150_000)}1]}`, /more than 262144 bytes/],
  ])('reports a response that is not one complete object as unreadable: %s', async (_name, text, fault) => {
    const { finding, delivered } = await check(text);
    expect(finding).toMatchObject({ kind: 'unreadable', fault: expect.stringMatching(fault) });
    expect(delivered).toBe('');
  });

  it('rethrows errors of the source and of the sink', async () => {
    const broken = new Error('the line broke');
    const reading = (async function* () {
      yield Buffer.from('{"id":');
      throw broken;
    })();
    await expect(inspectResponse(reading, async () => undefined)).rejects.toBe(broken);
    const full = new Error('the disk is full');
    const text = JSON.stringify({ status: 'completed', output: output() });
    const taking = inspectResponse(chunked(Buffer.from(text)), () => Promise.reject(full));
    await expect(taking).rejects.toBe(full);
  });
});
