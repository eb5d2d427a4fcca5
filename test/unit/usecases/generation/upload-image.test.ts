import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createUploadImage } from '../../../../src/usecases/generation/upload-image.ts';
import { idleMeter, silentLog } from '../../../support/jobs.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const image = { bytes: Buffer.from('image'), sha256: '', contentType: 'image/png', width: 1, height: 1 };
const target = { job: { tenant: 'acme', id: 'img_1' }, index: 0, storageKey: 'acme/img_1/0-1.png' };

/** Starts an upload whose storage responds after a time, and stops its run. */
async function stoppedUpload(storageMs: number) {
  const stop = new AbortController();
  const put = () => new Promise<void>((resolve) => setTimeout(resolve, storageMs));
  const upload = createUploadImage({
    storage: { put },
    sleep: async () => {},
    random: () => 0,
    meter: idleMeter,
    log: silentLog,
  });
  const uploaded = vi.fn();
  void upload(image, target, { signal: stop.signal }).then(uploaded);
  await vi.advanceTimersByTimeAsync(500);
  expect(uploaded).not.toHaveBeenCalled();
  stop.abort('draining');
  await vi.advanceTimersByTimeAsync(2_000);
  return uploaded;
}

it('leaves an image to the next run if the run stops and the storage does not respond within two seconds', async () => {
  expect(await stoppedUpload(60_000)).toHaveBeenCalledWith(null);
});

it('stores an image although the run stops if the storage responds within two seconds', async () => {
  const uploaded = await stoppedUpload(1_500);
  expect(uploaded).toHaveBeenCalledWith(expect.objectContaining({ storageKey: target.storageKey }));
  expect(vi.getTimerCount()).toBe(0);
});
