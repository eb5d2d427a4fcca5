import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createCallLog } from '../../../../src/local/studio/call-log.ts';
import { readGenerationRequest } from '../../../../src/local/studio/generation-request.ts';
import { createProduction } from '../../../../src/local/studio/production.ts';
import { createResponseStore } from '../../../../src/local/studio/response-store.ts';

/** A studio may run for days, and anyone may call it. */

const megabyte = 1024 * 1024;

describe('memory of the call log', () => {
  const headers = {
    retryCount: null,
    clientRequestId: null,
    idempotencyKey: null,
    userAgent: null,
    fault: null,
  };

  function logOf(calls: number, fill: (call: ReturnType<ReturnType<typeof createCallLog>['open']>) => void) {
    const log = createCallLog({});
    for (let count = 0; count < calls; count++) {
      const call = log.open({ method: 'POST', path: '/', requestId: `req_${count}`, headers });
      fill(call);
      log.close(call);
    }
    return log.calls.map(({ id }) => id);
  }

  it.each([
    ['prompts', (call: { prompt: string | null }) => (call.prompt = 'x'.repeat(megabyte))],
    ['other fields', (call: { parameters: object }) => (call.parameters = { user: 'x'.repeat(megabyte) })],
  ])('is limited to 16 MiB of text, in which the newest calls remain: %s', (_name, fill) => {
    const ids = logOf(100, fill);
    expect(ids.length).toBeGreaterThanOrEqual(15);
    expect(ids.length).toBeLessThanOrEqual(16);
    expect(ids.at(-1)).toBe(100);
  });

  it('includes a call whose text is larger than the limit while no newer call has ended', () => {
    expect(logOf(2, (call) => (call.prompt = 'x'.repeat(20 * megabyte)))).toEqual([2]);
  });
});

describe('memory of background responses', () => {
  function store() {
    let nowMs = 0;
    const responses = createResponseStore(() => nowMs);
    const add = (sizeBytes: number) => {
      const response = responses.add({
        ...{ prompt: 'a cat', hostModelName: 'm', image: readGenerationRequest({ prompt: 'a cat' }) },
        ...{ readyAtMs: 0, slowBodyMs: 0, breaksLeft: 0 },
      });
      responses.storeImage(response, { bytes: Buffer.alloc(sizeBytes), cut: false });
      return response;
    };
    const has = ({ id }: { id: string }) => responses.find(id) !== undefined;
    return { add, has, setTime: (ms: number) => (nowMs = ms) };
  }

  it('is limited to 256 MiB of images, from which those that were sent are removed first', () => {
    const { add, has } = store();
    const [first, second, third] = [add(100 * megabyte), add(100 * megabyte), add(50 * megabyte)];
    second.wasSent = true;
    const fourth = add(50 * megabyte);
    expect([first, second, third, fourth].map(has)).toEqual([true, false, true, true]);
    const fifth = add(100 * megabyte);
    expect([first, third, fourth, fifth].map(has)).toEqual([false, true, true, true]);
    const sixth = add(300 * megabyte);
    expect([third, fourth, fifth, sixth].map(has)).toEqual([false, false, false, true]);
  });

  it('is released after ten minutes, even without a further call', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { add, has, setTime } = store();
    const response = add(1);
    setTime(10 * 60_000);
    await vi.advanceTimersByTimeAsync(10 * 60_000);
    setTime(0);
    expect(has(response)).toBe(false);
  });
});

it('pads all images of a call to 256 MB at most, whatever a prompt requests', async () => {
  const produce = createProduction({ image: 'quick' });
  const fault = { name: 'oversized', value: '100000', times: null, text: 'oversized=100000' } as const;
  const images = await produce(readGenerationRequest({ prompt: 'a cat', n: 3 }), fault);
  const sizes = images.map(({ length }) => length);
  expect(sizes).toEqual(Array(3).fill(Math.floor((256 * megabyte) / 3)));
});
