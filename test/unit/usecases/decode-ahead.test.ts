import { describe, expect, it } from 'vitest';
import type { DecodedAnswer } from '../../../src/domain/ports.ts';
import { createDecodeAhead } from '../../../src/usecases/decode-ahead.ts';

/** A decoder that takes the text of the answer for the picture, and refuses texts with "bad" in them. */
const provider = {
  async decode(body: AsyncIterable<Uint8Array>): Promise<DecodedAnswer> {
    const parts: Uint8Array[] = [];
    for await (const part of body) {
      if (Buffer.from(part).includes('bad')) throw new Error('no picture');
      parts.push(part);
    }
    const picture = {
      bytes: Buffer.concat(parts),
      sha256: '',
      contentType: 'image/png',
      width: 1,
      height: 1,
    };
    return { picture, usage: null, revisedPrompt: null };
  },
};

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

const decodedText = async (ahead: { answer(): Promise<DecodedAnswer | null> }) =>
  (await ahead.answer())?.picture.bytes.toString() ?? null;

describe('an answer on its way to the spool', () => {
  it('is passed on as it is, and decoded', async () => {
    const ahead = createDecodeAhead(provider, 1)();
    expect(await textOf(ahead.watch(bodyOf('one ', 'two')))).toBe('one two');
    expect(await decodedText(ahead)).toBe('one two');
  });

  it('is passed on in full although the decoder finds a fault', async () => {
    const ahead = createDecodeAhead(provider, 1)();
    expect(await textOf(ahead.watch(bodyOf('one ', 'bad ', 'three')))).toBe('one bad three');
    expect(await decodedText(ahead)).toBeNull();
  });

  it('counts as not decoded when it breaks off, and its reader hears why', async () => {
    const ahead = createDecodeAhead(provider, 1)();
    await expect(textOf(ahead.watch(bodyOf('one ', new Error('broken'))))).rejects.toThrow('broken');
    expect(await decodedText(ahead)).toBeNull();
  });

  it('counts as not decoded when its reader leaves early', async () => {
    const ahead = createDecodeAhead(provider, 1)();
    for await (const _chunk of ahead.watch(bodyOf('one ', 'two'))) break;
    expect(await decodedText(ahead)).toBeNull();
  });

  it('is only passed on while every place is taken, and decoded again once one was given back', async () => {
    const decodeAhead = createDecodeAhead(provider, 1);
    const first = decodeAhead();
    await textOf(first.watch(bodyOf('first')));
    const second = decodeAhead();
    expect(await textOf(second.watch(bodyOf('second')))).toBe('second');
    expect(await decodedText(second)).toBeNull();
    second.end();
    first.end();
    first.end();
    const third = decodeAhead();
    await textOf(third.watch(bodyOf('third')));
    expect(await decodedText(third)).toBe('third');
    const fourth = decodeAhead();
    await textOf(fourth.watch(bodyOf('fourth')));
    expect(await decodedText(fourth)).toBeNull();
  });
});
