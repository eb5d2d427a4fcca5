import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { TokenSample } from '../../src/domain/token-samples.ts';
import { createTokenSampleStore } from '../../src/outbound/records/token-samples.ts';
import { connectCore } from '../support/core.ts';

const sampleOf = (output: number): TokenSample => ({
  output,
  inputImages: 1,
  textFactor: 0.5,
  hostMicroUsd: 0,
});

/** Connects the stores of two processes of one deployment. */
async function connectStores() {
  const { redis, keys, clock } = await connectCore();
  const open = () => {
    const store = createTokenSampleStore(redis, keys, { clock, onError: () => undefined });
    onTestFinished(store.close);
    return store;
  };
  return { redis, keys, writer: open(), reader: open() };
}

describe('the tokens of earlier images', () => {
  it('are known to every process within seconds, as median and maximum of the last 200 images', async () => {
    const { writer, reader } = await connectStores();
    for (let output = 0; output <= 300; output += 1) writer.record('a', sampleOf(output));
    await vi.waitFor(
      () =>
        expect(reader.find('a')).toEqual({
          median: { output: 200, inputImages: 1, textFactor: 0.5, hostMicroUsd: 0 },
          max: { output: 300, inputImages: 1, textFactor: 0.5, hostMicroUsd: 0 },
        }),
      5_000,
    );
    expect(reader.find('b')).toBeUndefined();
  });

  it('add up over processes and drop the oldest image first', async () => {
    const { writer, reader, redis, keys } = await connectStores();
    writer.record('a', sampleOf(5_000));
    await vi.waitFor(() => expect(reader.find('a')?.max.output).toBe(5_000), 5_000);
    for (let no = 0; no < 199; no += 1) reader.record('a', sampleOf(10));
    const stored = async () => JSON.parse((await redis.hget(keys.tokens('samples'), 'a')) ?? '[]');
    await vi.waitFor(async () => expect(await stored()).toHaveLength(200), 5_000);
    expect(reader.find('a')?.max.output).toBe(5_000);
    writer.record('a', sampleOf(10));
    await vi.waitFor(() => expect(reader.find('a')?.max.output).toBe(10), 5_000);
  });

  it('preserve fields of another release', async () => {
    const { writer, redis, keys } = await connectStores();
    await redis.hset(keys.tokens('samples'), 'a', JSON.stringify([{ output: 7, newer: 3 }]));
    writer.record('a', sampleOf(9));
    await vi.waitFor(() => expect(writer.find('a')?.max).toMatchObject({ output: 9, newer: 3 }), 5_000);
  });

  it('are limited to 1,000 kinds, of which the longest unused is forgotten first', async () => {
    const { writer, redis, keys } = await connectStores();
    const kinds = keys.tokens('kinds');
    for (let no = 0; no < 1_000; no += 1) await redis.zadd(kinds, Date.now() + no, `kind-${no}`);
    await redis.hset(keys.tokens('summary'), 'kind-0', '{}');
    // The clock of the test is before these kinds, so the new kind is the longest unused one.
    writer.record('old', sampleOf(1));
    writer.record('older', sampleOf(1));
    await vi.waitFor(() => expect(writer.find('older')).toBeDefined(), 5_000);
    expect(await redis.zcard(kinds)).toBe(1_000);
    expect(await redis.hlen(keys.tokens('samples'))).toBe(0);
  });
});
