import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { boundedBody } from '../../../../../src/outbound/storage/s3/s3-body.ts';

const idleMs = 1_000;

/** Creates a source that yields exactly the pushed chunks. */
function openSource(...chunks: string[]): Readable {
  const source = new Readable({ read() {} });
  for (const chunk of chunks) source.push(chunk);
  return source;
}

async function nextOf(iterator: AsyncIterator<unknown>): Promise<string> {
  return String((await iterator.next()).value);
}

describe('boundedBody', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => void vi.useRealTimers());

  it('transfers all bytes of the source and ends', async () => {
    const source = openSource('one', 'two');
    source.push(null);
    const text = await boundedBody(source, idleMs).reduce((all, chunk) => all + String(chunk), '');
    expect(text).toBe('onetwo');
  });

  it('fails with storage_unavailable if the source sends nothing for too long', async () => {
    const source = openSource('one');
    const chunks = boundedBody(source, idleMs)[Symbol.asyncIterator]();
    expect(await nextOf(chunks)).toBe('one');
    const next = nextOf(chunks).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(idleMs);
    expect(await next).toMatchObject({
      code: 'storage_unavailable',
      message: expect.stringContaining('timeout'),
    });
    expect(source.destroyed).toBe(true);
  });

  it('does not limit the time of a slow reader', async () => {
    const source = openSource('x'.repeat(200_000), 'y'.repeat(200_000), 'z');
    source.push(null);
    const chunks = boundedBody(source, idleMs)[Symbol.asyncIterator]();
    let text = '';
    for (let chunk = await chunks.next(); !chunk.done; chunk = await chunks.next()) {
      text += String(chunk.value);
      await vi.advanceTimersByTimeAsync(idleMs * 10);
    }
    expect(text.length).toBe(400_001);
  });

  it('reports a failure of the source before the first read in that read', async () => {
    const source = openSource();
    const body = boundedBody(source, idleMs);
    const closed = new Promise<void>((resolve) => source.once('close', resolve));
    source.destroy(Object.assign(new Error('aborted'), { code: 'ECONNRESET' }));
    await closed;
    await expect(body.toArray()).rejects.toMatchObject({
      code: 'storage_unavailable',
      message: expect.stringContaining('ECONNRESET'),
    });
  });

  it('closes the source if the body is destroyed before it is read', () => {
    const source = openSource('one');
    boundedBody(source, idleMs).destroy();
    expect(source.destroyed).toBe(true);
  });

  it('leaves no timer after the end of the body', async () => {
    const source = openSource('one');
    source.push(null);
    await boundedBody(source, idleMs).toArray();
    expect(vi.getTimerCount()).toBe(0);
  });
});
