import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createEventScanner,
  type StreamEvent,
} from '../../../../../../src/outbound/providers/openai/images/event-scanner.ts';

interface Seen extends Pick<StreamEvent, 'type'> {
  readonly data: unknown;
  readonly image?: string;
  readonly isFaulty?: true;
}

/** Splits bytes at positions. */
function split(bytes: Buffer, positions: readonly number[]): Buffer[] {
  const cuts = [...new Set(positions.map((each) => each % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...cuts, bytes.length].map((end, i) => bytes.subarray(i === 0 ? 0 : cuts[i - 1], end));
}

function scan(chunks: readonly Uint8Array[]): Seen[] {
  const seen: Seen[] = [];
  let image: string | undefined;
  const scanner = createEventScanner({
    onImage: () => ({
      write(bytes) {
        image = (image ?? '') + bytes.toString('latin1');
      },
      end: () => true,
    }),
    onEvent({ type, text, fault }) {
      const data = text === null ? null : JSON.parse(text);
      seen.push({
        type,
        data,
        ...(image === undefined ? {} : { image }),
        ...(fault ? { isFaulty: true } : {}),
      });
      image = undefined;
    },
  });
  for (const chunk of chunks) scanner.push(chunk);
  scanner.finish();
  return seen;
}

const textOf = (text: string) => scan([Buffer.from(text)]);

const anyImage = fc
  .uint8Array({ minLength: 1, maxLength: 300 })
  .map((bytes) => Buffer.from(bytes).toString('base64'));
const anyEvent = fc.record({
  type: fc.constantFrom('image_generation.partial_image', 'image_edit.completed', 'other.event'),
  isNamed: fc.boolean(),
  image: anyImage,
  note: fc.string({ unit: 'grapheme', maxLength: 20 }),
  isImageFirst: fc.boolean(),
});

describe('the scanner of an event stream', () => {
  it('finds the same events and images for any chunks, line ends, comments and names', () => {
    fc.assert(
      fc.property(
        fc.record({
          events: fc.array(anyEvent, { minLength: 1, maxLength: 4 }),
          lineEnd: fc.constantFrom('\n', '\r\n', '\r'),
          extra: fc.constantFrom(
            '',
            ': keep-alive',
            'id: 7',
            'retry: 10',
            'a-field-with-a-very-long-name-of-its-own: x',
          ),
          positions: fc.array(fc.nat(), { maxLength: 30 }),
          hasMark: fc.boolean(),
        }),
        ({ events, lineEnd, extra, positions, hasMark }) => {
          const lines = events.flatMap(({ type, isNamed, image, note, isImageFirst }) => {
            const data = isImageFirst ? { b64_json: image, type, note } : { type, note, b64_json: image };
            return [
              ...(extra ? [extra] : []),
              ...(isNamed ? [`event: ${type}`] : []),
              `data: ${JSON.stringify(data)}`,
              '',
            ];
          });
          const bytes = Buffer.from(`${hasMark ? '\ufeff' : ''}${lines.join(lineEnd)}${lineEnd}`);
          expect(scan(split(bytes, positions))).toEqual(
            events.map(({ type, image, note }) => ({ type, image, data: { type, note, b64_json: 'taken' } })),
          );
        },
      ),
      { numRuns: 300 },
    );
  });

  it('passes an image of megabytes on in small pieces', () => {
    const base64 = Buffer.alloc(6 * 1024 * 1024, 0xa7).toString('base64');
    const bytes = Buffer.from(`data: {"type":"x","b64_json":"${base64}"}\n\n`);
    let [largest, total] = [0, 0];
    const scanner = createEventScanner({
      onImage: () => ({
        write(piece) {
          largest = Math.max(largest, piece.length);
          total += piece.length;
        },
        end: () => true,
      }),
      onEvent: () => {},
    });
    scanner.push(bytes);
    expect(total).toBe(base64.length);
    expect(largest).toBeLessThanOrEqual(64 * 1024);
  });

  it('skips images that nothing wants, and reads the events behind them', () => {
    const types: string[] = [];
    const scanner = createEventScanner({ onImage: () => null, onEvent: ({ type }) => void types.push(type) });
    scanner.push(Buffer.from('event: a\ndata: {"b64_json":"AAAA"}\n\nevent: b\ndata: {}\n\n'));
    expect(types).toEqual(['a', 'b']);
  });

  it('finds the images of both APIs', () => {
    for (const data of [
      { b64_json: 'QUJD' },
      { partial_image_b64: 'QUJD' },
      { item: { type: 'image_generation_call', result: 'QUJD' } },
      { response: { output: [{ type: 'reasoning' }, { result: 'QUJD' }] } },
      { data: [{ b64_json: 'QUJD' }] },
    ]) {
      expect(textOf(`data: ${JSON.stringify(data)}\n\n`)).toMatchObject([{ image: 'QUJD' }]);
    }
    expect(textOf('data: {"nested":{"b64_json":"QUJD"}}\n\n')[0]).not.toHaveProperty('image');
  });

  it('joins the data of several lines and ignores data that is no JSON object', () => {
    expect(textOf('event: a\ndata: {"x":\ndata: 1}\n\ndata: [DONE]\n\ndata\n\n: end\n\n')).toEqual([
      { type: 'a', data: { x: 1 } },
    ]);
  });

  it('reports a faulty event by its name and goes on with the next one', () => {
    const long = `[${'1,'.repeat(150_000)}1]`;
    expect(
      textOf(`event: a\ndata: {"x":${long}}\n\nevent: b\ndata: {"y":1\n\nevent: c\ndata: {}\n\n`),
    ).toEqual([
      { type: 'a', data: null, isFaulty: true },
      { type: 'b', data: null, isFaulty: true },
      { type: 'c', data: {} },
    ]);
  });

  it('reports an event at the end of the stream only if its data is complete', () => {
    expect(textOf('event: a\ndata: {"x":1}')).toEqual([{ type: 'a', data: { x: 1 } }]);
    expect(textOf('event: a\ndata: {"x":1}\n')).toEqual([{ type: 'a', data: { x: 1 } }]);
    expect(textOf('event: a\ndata: {"b64_json":"AAAA')).toEqual([]);
    expect(textOf('')).toEqual([]);
  });

  it.each(['\r', '\n', '\r\n', ':', 'data:\r'])('reads megabytes of %j in linear time', (text) => {
    expect(textOf(text.repeat(4_000_000 / text.length))).toEqual([]);
  });

  it('passes on the start of data that is no JSON object with the name of its event', () => {
    const texts: string[][] = [];
    const scanner = createEventScanner({
      onImage: () => null,
      onEvent: () => undefined,
      onText: (name, text) => texts.push([name, text]),
    });
    scanner.push(Buffer.from('event: error\ndata: No.\n\ndata: [DONE]\n\n'));
    expect(texts).toEqual([
      ['error', 'No.'],
      ['', '[DONE]'],
    ]);
  });

  it('reads any bytes without an error', () => {
    const lines = fc.array(
      fc.oneof(
        fc.constantFrom('', 'data:{"b64_json":"', 'data: {}', 'event:', 'data: {"type":"\\u00', ':', '"}'),
        fc.string(),
      ),
    );
    fc.assert(
      fc.property(lines, (texts) => void textOf(texts.join('\n'))),
      { numRuns: 300 },
    );
  });
});
