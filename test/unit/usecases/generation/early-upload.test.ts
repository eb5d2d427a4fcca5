import { describe, expect, it, vi } from 'vitest';
import type { StoredImage } from '../../../../src/domain/image.ts';
import type { DecodedResponse } from '../../../../src/domain/ports.ts';
import { createSharedBytes, type SharedBytes } from '../../../../src/lib/shared-bytes.ts';
import { createWithEarlyUpload, type EarlyUpload } from '../../../../src/usecases/generation/early-upload.ts';
import type { UploadImage } from '../../../../src/usecases/generation/upload-image.ts';

/** Decodes the text of a response as the image, and rejects texts that contain "bad". */
const decoder = (memories: (Buffer | undefined)[]) => ({
  async decode(body: AsyncIterable<Uint8Array>, memory?: Buffer): Promise<DecodedResponse> {
    memories.push(memory);
    const parts: Uint8Array[] = [];
    for await (const part of body) {
      if (Buffer.from(part).includes('bad')) throw new Error('no image');
      parts.push(part);
    }
    const image = {
      bytes: Buffer.concat(parts),
      sha256: '',
      contentType: 'image/png',
      width: 1,
      height: 1,
    };
    return { image, usage: null, revisedPrompt: null };
  },
});

async function* bodyOf(...texts: (string | Error)[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) {
    if (text instanceof Error) throw text;
    yield Buffer.from(text);
  }
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  let text = '';
  for await (const chunk of body) text += Buffer.from(chunk).toString();
  return text;
}

const job = { tenant: 'acme', id: 'img_1' };
const attempt = { index: 2, no: 7, startedAt: 36 };
const never = new AbortController().signal;

/** Creates early uploads over a storage that stores at once. A test decides when each upload ends. */
function uploadEarlyWith(
  maxImages: number,
  given: { uploadImage?: UploadImage; shareImage?: SharedBytes['share'] } = {},
) {
  const stored: string[] = [];
  const memories: (Buffer | undefined)[] = [];
  const withEarlyUpload = createWithEarlyUpload(
    {
      provider: decoder(memories),
      uploadImage:
        given.uploadImage ??
        (async ({ bytes }, { index, storageKey }) => {
          stored.push(`${storageKey} ${bytes}`);
          return { index, storageKey } as StoredImage;
        }),
      shareImage: given.shareImage ?? (async () => {}),
    },
    maxImages,
  );
  return {
    stored,
    memories,
    start(signal = never) {
      let started: EarlyUpload | undefined;
      let finish = () => {};
      void withEarlyUpload({ job, signal }, (earlyUpload) => {
        started = earlyUpload;
        return new Promise<void>((resolve) => {
          finish = resolve;
        });
      });
      if (!started) throw new Error('not started');
      const { watch, prepared } = started;
      return {
        ...started,
        prepared,
        watch: (body: AsyncIterable<Uint8Array>) => watch(body, attempt),
        /** Ends the work, whose owner then ends the early upload. */
        async end() {
          finish();
          await new Promise(setImmediate);
        },
      };
    },
  };
}

const preparedText = async (earlyUpload: Pick<EarlyUpload, 'prepared'>) =>
  (await earlyUpload.prepared())?.response.image.bytes.toString() ?? null;

describe('the early upload of a response', () => {
  it('passes a response on unchanged while it decodes it and stores it under the key of its attempt', async () => {
    const { stored, start } = uploadEarlyWith(1);
    const earlyUpload = start();
    expect(await textOf(earlyUpload.watch(bodyOf('one ', 'two')))).toBe('one two');
    expect(await preparedText(earlyUpload)).toBe('one two');
    expect(await (await earlyUpload.prepared())?.upload).toMatchObject({
      index: 2,
      storageKey: 'acme/img_1/2-7-10.png',
    });
    expect(stored).toEqual(['acme/img_1/2-7-10.png one two']);
  });

  it('passes a response on in full although the decoder finds a fault', async () => {
    const { stored, start } = uploadEarlyWith(1);
    const earlyUpload = start();
    expect(await textOf(earlyUpload.watch(bodyOf('one ', 'bad ', 'three')))).toBe('one bad three');
    expect(await preparedText(earlyUpload)).toBeNull();
    expect(stored).toEqual([]);
  });

  it('prepares nothing if the response breaks off, and reports the reason to its reader', async () => {
    const { stored, start } = uploadEarlyWith(1);
    const earlyUpload = start();
    await expect(textOf(earlyUpload.watch(bodyOf('one ', new Error('broken'))))).rejects.toThrow('broken');
    expect(await preparedText(earlyUpload)).toBeNull();
    expect(stored).toEqual([]);
  });

  it('prepares nothing if the reader of the response stops early', async () => {
    const earlyUpload = uploadEarlyWith(1).start();
    for await (const _chunk of earlyUpload.watch(bodyOf('one ', 'two'))) break;
    expect(await preparedText(earlyUpload)).toBeNull();
  });

  it('only passes a response on while every slot is taken, and prepares again once a slot is free', async () => {
    const { start } = uploadEarlyWith(1);
    const first = start();
    await textOf(first.watch(bodyOf('first')));
    const second = start();
    expect(await textOf(second.watch(bodyOf('second')))).toBe('second');
    expect(await preparedText(second)).toBeNull();
    await second.end();
    await first.end();
    await first.end();
    const third = start();
    await textOf(third.watch(bodyOf('third')));
    expect(await preparedText(third)).toBe('third');
    const fourth = start();
    await textOf(fourth.watch(bodyOf('fourth')));
    expect(await preparedText(fourth)).toBeNull();
  });

  it('reuses the memory of images that are stored', async () => {
    const { memories, start } = uploadEarlyWith(1);
    for (const text of ['one', 'two', 'bad', 'four']) {
      const earlyUpload = start();
      await textOf(earlyUpload.watch(bodyOf(text)));
      await (await earlyUpload.prepared())?.upload;
      await earlyUpload.end();
    }
    expect(memories).toHaveLength(4);
    expect(memories[0]).toBeInstanceOf(Buffer);
    expect(new Set(memories).size).toBe(1);
  });

  it('reuses the memory of a stored image only after the last caller of this process has read it', async () => {
    const shared = createSharedBytes(1);
    const { memories, start } = uploadEarlyWith(1, { shareImage: shared.share });
    const reader = shared.expect(job.id);
    for (const text of ['one', 'two']) {
      const earlyUpload = start();
      await textOf(earlyUpload.watch(bodyOf(text)));
      await (await earlyUpload.prepared())?.upload;
      await earlyUpload.end();
    }
    expect(reader.find('acme/img_1/2-7-10.png')?.toString()).toBe('one');
    reader.end();
    const last = start();
    await textOf(last.watch(bodyOf('three')));
    await last.prepared();
    expect(memories.map((memory) => memories.indexOf(memory))).toEqual([0, 1, 1]);
  });

  it('never reuses the memory of an abandoned image that may still be on its way to the storage', async () => {
    const { memories, start } = uploadEarlyWith(1, { uploadImage: async () => null });
    for (const text of ['one', 'two']) {
      const earlyUpload = start();
      await textOf(earlyUpload.watch(bodyOf(text)));
      await (await earlyUpload.prepared())?.upload;
      await earlyUpload.end();
    }
    // Compared by identity, because a matcher would read every byte for its message.
    expect(memories[1] === memories[0]).toBe(false);
  });

  it('holds no more free memory than there are slots, however late images are stored', async () => {
    const storing: ((image: StoredImage | null) => void)[] = [];
    const image = {} as StoredImage;
    const { memories, start } = uploadEarlyWith(1, {
      uploadImage: () => new Promise((resolve) => void storing.push(resolve)),
    });
    const held = [];
    for (const text of ['one', 'two']) {
      const earlyUpload = start();
      await textOf(earlyUpload.watch(bodyOf(text)));
      held.push((await earlyUpload.prepared())?.upload);
      await earlyUpload.end();
    }
    for (const done of storing) done(image);
    await Promise.all(held);
    for (const text of ['three', 'four']) {
      const earlyUpload = start();
      await textOf(earlyUpload.watch(bodyOf(text)));
      await earlyUpload.prepared();
      await earlyUpload.end();
    }
    const [one, two, three, four] = memories;
    expect([three, four].map((memory) => [one, two].includes(memory))).toEqual([true, false]);
  });

  it.each([
    ['its run has to stop', async (_end: () => Promise<void>, stop: AbortController) => stop.abort()],
    ['its owner ends it', (end: () => Promise<void>) => end()],
  ])('stops the upload once %s', async (_name, giveUp) => {
    const stop = new AbortController();
    const storing = vi.fn<UploadImage>(
      (_image, _target, { signal }) =>
        new Promise((resolve) => signal.addEventListener('abort', () => resolve(null))),
    );
    const earlyUpload = uploadEarlyWith(1, { uploadImage: storing }).start(stop.signal);
    await textOf(earlyUpload.watch(bodyOf('one')));
    const prepared = await earlyUpload.prepared();
    await giveUp(earlyUpload.end, stop);
    expect(await prepared?.upload).toBeNull();
  });

  it('reports a fault of the storage only to a caller that needs the image', async () => {
    const broken = new Error('a bug');
    const earlyUpload = uploadEarlyWith(1, { uploadImage: () => Promise.reject(broken) }).start();
    await textOf(earlyUpload.watch(bodyOf('one')));
    const prepared = await earlyUpload.prepared();
    await expect(prepared?.upload).rejects.toBe(broken);
    expect(prepared?.response.image.bytes.toString()).toBe('one');
  });
});
