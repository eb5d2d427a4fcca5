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

describe('looking at a response', () => {
  it('hands on a finished one with its image byte for byte, however it is cut', async () => {
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

  it.each(['queued', 'in_progress', 'a status of tomorrow'])('asks again while it is %s', async (status) => {
    for (const members of [{ output: [] }, { output: output() }]) {
      const { finding, delivered } = await check(JSON.stringify({ id: 'resp_1', status, ...members }));
      expect(finding).toEqual({ kind: 'in_progress', id: 'resp_1' });
      expect(delivered).toBe('');
    }
  });

  it.each(['failed', 'incomplete', 'cancelled'])(
    'finds a %s one without an image at its end',
    async (status) => {
      const error = { code: 'server_error', message: 'x' };
      const { finding, delivered } = await check(JSON.stringify({ id: 'resp_1', status, error, output: [] }));
      expect(finding).toMatchObject({ kind: 'failed', state: { id: 'resp_1', status, error } });
      expect(delivered).toBe('');
    },
  );

  it.each(['failed', 'incomplete', 'cancelled'])(
    'does not throw away the image of a %s one',
    async (status) => {
      const text = JSON.stringify({ id: 'resp_1', status, output: output() });
      expect(await check(text)).toMatchObject({ finding: { kind: 'delivered' }, delivered: text });
    },
  );

  it('hands on a completed one without an image too: it may have been charged', async () => {
    const text = JSON.stringify({ id: 'resp_1', status: 'completed', output: [], usage: {} });
    expect(await check(text)).toMatchObject({ finding: { kind: 'delivered' }, delivered: text });
  });

  it('takes an image whose response names its status only afterwards', async () => {
    const text = JSON.stringify({ output: output(), status: 'completed', id: 'resp_1' });
    expect(await check(text)).toMatchObject({
      finding: { kind: 'delivered' },
      delivered: text,
      named: undefined,
    });
  });

  it('is not misled by the status of an item', async () => {
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
    ['too much', `{"note":"${'x'.repeat(300_000)}"}`, /more than 262144 bytes/],
  ])('calls %s unreadable', async (_name, text, fault) => {
    const { finding, delivered } = await check(text);
    expect(finding).toMatchObject({ kind: 'unreadable', fault: expect.stringMatching(fault) });
    expect(delivered).toBe('');
  });

  it('passes on what the reading and the taking side throw', async () => {
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
