import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createBatches } from '../../../src/lib/batches.ts';

/** Creates a sender that holds each batch until its release. The result of an item is its name in capitals. */
function heldSender(options?: Parameters<typeof createBatches>[1]) {
  const sent: { items: readonly string[]; release: () => void; fail: (error: Error) => void }[] = [];
  const send = (items: readonly string[]) =>
    new Promise<string[]>((resolve, fail) => {
      const release = () => resolve(items.map((item) => item.toUpperCase()));
      sent.push({ items, release, fail });
    });
  const batchNo = async (no: number) => {
    await expect.poll(() => sent.length, { interval: 1 }).toBe(no);
    return sent[no - 1] ?? expect.unreachable();
  };
  return { sent, batchNo, add: createBatches(send, options) };
}

describe('batches', () => {
  it('sends the items of one event loop turn in one batch', async () => {
    const { add, batchNo } = heldSender();
    const all = Promise.all([add('a'), add('b')]);
    const batch = await batchNo(1);
    expect(batch.items).toEqual(['a', 'b']);
    batch.release();
    expect(await all).toEqual(['A', 'B']);
  });

  it('sends the items that arrive during a batch in the next batch, each once', async () => {
    const { add, sent, batchNo } = heldSender();
    const first = add('a');
    const one = await batchNo(1);
    const later = [add('b'), add('c')];
    await nextTurn();
    expect(sent.length).toBe(1);
    one.release();
    await first;
    const two = await batchNo(2);
    expect(two.items).toEqual(['b', 'c']);
    two.release();
    await Promise.all(later);
  });

  it('rejects all items of a failed batch and still sends the next batch', async () => {
    const { add, batchNo } = heldSender();
    const failing = Promise.allSettled([add('a'), add('b')]);
    const one = await batchNo(1);
    const next = add('c');
    one.fail(new Error('down'));
    expect(await failing).toMatchObject([{ status: 'rejected' }, { status: 'rejected' }]);
    const two = await batchNo(2);
    expect(two.items).toEqual(['c']);
    two.release();
    await next;
  });

  it('splits many items into several simultaneous batches, each with its own result', async () => {
    const { add, sent, batchNo } = heldSender({ max: 2 });
    const [a, b, c] = [add('a'), add('b'), add('c')];
    const two = await batchNo(2);
    expect(sent.map(({ items }) => items)).toEqual([['a', 'b'], ['c']]);
    two.release();
    expect(await c).toBe('C');
    sent[0]?.release();
    expect(await Promise.all([a, b])).toEqual(['A', 'B']);
  });

  it('delays an item only until the first of the earlier batches has its result', async () => {
    const { add, sent, batchNo } = heldSender({ max: 1 });
    const [a, b] = [add('a'), add('b')];
    await batchNo(2);
    const later = add('c');
    await nextTurn();
    expect(sent.length).toBe(2);
    sent[0]?.release();
    await a;
    const three = await batchNo(3);
    expect(three.items).toEqual(['c']);
    three.release();
    sent[1]?.release();
    expect(await Promise.all([b, later])).toEqual(['B', 'C']);
  });
});
