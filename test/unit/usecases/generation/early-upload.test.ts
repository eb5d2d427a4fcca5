import { describe, expect, it, vi } from 'vitest';
import type { StoredImage } from '../../../../src/domain/image.ts';
import type { DecodedResponse } from '../../../../src/domain/ports.ts';
import { createEarlyUpload, type EarlyUpload } from '../../../../src/usecases/generation/early-upload.ts';
import type { UploadImage } from '../../../../src/usecases/generation/upload-image.ts';

/** A decoder that takes the text of the answer for the image, and refuses texts with "bad" in them. */
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
const attempt = { index: 2, no: 7 };
const never = new AbortController().signal;

/** Stores at once. */
function uploadEarlyWith(places: number, given: { uploadImage?: UploadImage } = {}) {
  const stored: string[] = [];
  const memories: (Buffer | undefined)[] = [];
  const startEarlyUpload = createEarlyUpload(
    {
      provider: decoder(memories),
      uploadImage:
        given.uploadImage ??
        (async ({ bytes }, { index, storageKey }) => {
          stored.push(`${storageKey} ${bytes}`);
          return { index, storageKey } as StoredImage;
        }),
    },
    places,
  );
  return { stored, memories, start: (signal = never) => startEarlyUpload(job, attempt, signal) };
}

const preparedText = async (earlyUpload: EarlyUpload) =>
  (await earlyUpload.prepared())?.response.image.bytes.toString() ?? null;

describe('an answer on its way to the spool', () => {
  it('is passed on as it is, decoded, and stored under the key of its attempt', async () => {
    const { stored, start } = uploadEarlyWith(1);
    const earlyUpload = start();
    expect(await textOf(earlyUpload.watch(bodyOf('one ', 'two')))).toBe('one two');
    expect(await preparedText(earlyUpload)).toBe('one two');
    expect(await (await earlyUpload.prepared())?.upload).toMatchObject({
      index: 2,
      storageKey: 'acme/img_1/2-7.png',
    });
    expect(stored).toEqual(['acme/img_1/2-7.png one two']);
  });

  it('is passed on in full although the decoder finds a fault', async () => {
    const { stored, start } = uploadEarlyWith(1);
    const earlyUpload = start();
    expect(await textOf(earlyUpload.watch(bodyOf('one ', 'bad ', 'three')))).toBe('one bad three');
    expect(await preparedText(earlyUpload)).toBeNull();
    expect(stored).toEqual([]);
  });

  it('counts as not prepared when it breaks off, and its reader hears why', async () => {
    const { stored, start } = uploadEarlyWith(1);
    const earlyUpload = start();
    await expect(textOf(earlyUpload.watch(bodyOf('one ', new Error('broken'))))).rejects.toThrow('broken');
    expect(await preparedText(earlyUpload)).toBeNull();
    expect(stored).toEqual([]);
  });

  it('counts as not prepared when its reader leaves early', async () => {
    const earlyUpload = uploadEarlyWith(1).start();
    for await (const _chunk of earlyUpload.watch(bodyOf('one ', 'two'))) break;
    expect(await preparedText(earlyUpload)).toBeNull();
  });

  it('is only passed on while every place is taken, and prepared again once one was given back', async () => {
    const { start } = uploadEarlyWith(1);
    const first = start();
    await textOf(first.watch(bodyOf('first')));
    const second = start();
    expect(await textOf(second.watch(bodyOf('second')))).toBe('second');
    expect(await preparedText(second)).toBeNull();
    second.end();
    first.end();
    first.end();
    const third = start();
    await textOf(third.watch(bodyOf('third')));
    expect(await preparedText(third)).toBe('third');
    const fourth = start();
    await textOf(fourth.watch(bodyOf('fourth')));
    expect(await preparedText(fourth)).toBeNull();
  });

  it('is decoded into memory of images that are stored, which is used again', async () => {
    const { memories, start } = uploadEarlyWith(1);
    for (const text of ['one', 'two', 'bad', 'four']) {
      const earlyUpload = start();
      await textOf(earlyUpload.watch(bodyOf(text)));
      await (await earlyUpload.prepared())?.upload;
      earlyUpload.end();
    }
    expect(memories).toHaveLength(4);
    expect(memories[0]).toBeInstanceOf(Buffer);
    expect(new Set(memories).size).toBe(1);
  });

  it('never shares memory with an image that was given up and may still be on its way to the storage', async () => {
    const { memories, start } = uploadEarlyWith(1, { uploadImage: async () => null });
    for (const text of ['one', 'two']) {
      const earlyUpload = start();
      await textOf(earlyUpload.watch(bodyOf(text)));
      await (await earlyUpload.prepared())?.upload;
      earlyUpload.end();
    }
    // Compared here: a matcher would look at every byte to word a failure that there is none of.
    expect(memories[1] === memories[0]).toBe(false);
  });

  it('leaves no more memory behind than there are places, however late images are stored', async () => {
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
      earlyUpload.end();
    }
    for (const done of storing) done(image);
    await Promise.all(held);
    for (const text of ['three', 'four']) {
      const earlyUpload = start();
      await textOf(earlyUpload.watch(bodyOf(text)));
      await earlyUpload.prepared();
      earlyUpload.end();
    }
    const [one, two, three, four] = memories;
    expect([three, four].map((memory) => [one, two].includes(memory))).toEqual([true, false]);
  });

  it.each([
    ['its execution is told to stop', (_earlyUpload: EarlyUpload, stop: AbortController) => stop.abort()],
    ['it is given up', (earlyUpload: EarlyUpload) => earlyUpload.end()],
  ])('is not stored for ever: no longer once %s', async (_name, giveUp) => {
    const stop = new AbortController();
    const storing = vi.fn<UploadImage>(
      (_image, _place, signal) =>
        new Promise((resolve) => signal.addEventListener('abort', () => resolve(null))),
    );
    const earlyUpload = uploadEarlyWith(1, { uploadImage: storing }).start(stop.signal);
    await textOf(earlyUpload.watch(bodyOf('one')));
    const prepared = await earlyUpload.prepared();
    giveUp(earlyUpload, stop);
    expect(await prepared?.upload).toBeNull();
  });

  it('tells a fault of the storage to whoever asks, and to nobody else', async () => {
    const broken = new Error('a fault of ours');
    const earlyUpload = uploadEarlyWith(1, { uploadImage: () => Promise.reject(broken) }).start();
    await textOf(earlyUpload.watch(bodyOf('one')));
    const prepared = await earlyUpload.prepared();
    await expect(prepared?.upload).rejects.toBe(broken);
    expect(prepared?.response.image.bytes.toString()).toBe('one');
  });
});
