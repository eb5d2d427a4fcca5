import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { ImageFault } from '../../../../../../src/outbound/providers/openai/images/image-fault.ts';
import { readImageHeader } from '../../../../../../src/outbound/providers/openai/images/image-header.ts';

const base = () =>
  sharp({ create: { width: 45, height: 31, channels: 4, background: { r: 200, g: 30, b: 90, alpha: 0.5 } } });

const kinds: readonly [string, string, () => Promise<Buffer>][] = [
  ['PNG', 'image/png', () => base().png().toBuffer()],
  ['interlaced PNG', 'image/png', () => base().png({ progressive: true }).toBuffer()],
  ['palette PNG', 'image/png', () => base().png({ palette: true }).toBuffer()],
  ['JPEG', 'image/jpeg', () => base().jpeg().toBuffer()],
  ['progressive JPEG', 'image/jpeg', () => base().jpeg({ progressive: true }).toBuffer()],
  [
    'JPEG with metadata',
    'image/jpeg',
    () =>
      base()
        .jpeg()
        .withExif({ IFD0: { Copyright: 'x' } })
        .toBuffer(),
  ],
  ['lossy WebP', 'image/webp', () => base().removeAlpha().webp().toBuffer()],
  ['lossless WebP', 'image/webp', () => base().webp({ lossless: true }).toBuffer()],
  ['GIF', 'image/gif', () => base().gif().toBuffer()],
  [
    'animated GIF',
    'image/gif',
    () =>
      sharp(Buffer.alloc(45 * 62 * 3).fill(0xd0, 45 * 31 * 3), {
        raw: { width: 45, height: 62, channels: 3, pageHeight: 31 },
      })
        .gif({ delay: [100, 100] })
        .toBuffer(),
  ],
  ['WebP with transparency', 'image/webp', () => base().webp({ quality: 40 }).toBuffer()],
];

describe.each(kinds)('the header of an image: %s', (_name, contentType, make) => {
  it('recognizes the format by its bytes and reads the size', async () => {
    expect(readImageHeader(await make())).toEqual({ contentType, width: 45, height: 31 });
  });

  it('refuses an image that is truncated at any position', async () => {
    const bytes = await make();
    for (let length = 0; length < bytes.length; length += 1) {
      expect(() => readImageHeader(bytes.subarray(0, length)), `${length} bytes`).toThrow(ImageFault);
    }
  });

  it('accepts any bytes after the image header', async () => {
    const bytes = await make();
    const padded = Buffer.concat([bytes, Buffer.from([0, 0x0a, 0x20])]);
    expect(readImageHeader(padded)).toMatchObject({ width: 45 });
    for (const trailer of [
      Buffer.from('PK\x03\x04'),
      Buffer.alloc(100_000),
      Buffer.from('\xff\xd9', 'latin1'),
    ])
      expect(readImageHeader(Buffer.concat([bytes, trailer]))).toMatchObject({ width: 45, height: 31 });
  });
});

describe('an SVG', () => {
  const drawing = (attributes: string) =>
    Buffer.from(`\ufeff<?xml version="1.0"?>\n<!-- <x> -->\n<svg ${attributes}><path d="M0 0"/></svg>`);

  it.each([
    ['width="45" height="31"', 45, 31],
    [`height='31px' width="44.5px" viewBox="0 0 1 1"`, 45, 31],
    ['width="100%" height="100%" viewBox="0 0 45 31"', 45, 31],
    ['viewBox="-5,-5,45,30.2"', 45, 31],
    ['xmlns="http://www.w3.org/2000/svg"', 300, 150],
  ])('has the size that it states: %s', (attributes, width, height) => {
    expect(readImageHeader(drawing(attributes))).toEqual({ contentType: 'image/svg+xml', width, height });
  });

  it('is refused if it is truncated at any position', () => {
    const bytes = drawing('width="45" height="31"');
    for (let length = 0; length < bytes.length; length += 1) {
      expect(() => readImageHeader(bytes.subarray(0, length)), `${length} bytes`).toThrow(ImageFault);
    }
  });

  it.each([
    '<svg xmlns="http://www.w3.org/2000/svg" width="10" height="20"/>',
    '<svg width="10" height="20"><g/></svg\n>',
    '<!DOCTYPE svg [<!ENTITY a "b"><!ENTITY c "d">]><svg width="10" height="20"><g/></svg>',
    '<svg:svg xmlns:svg="http://www.w3.org/2000/svg" width="10" height="20"><svg:g/></svg:svg>',
  ])('is complete in every form of XML, and refused if it is truncated: %s', (text) => {
    expect(readImageHeader(Buffer.from(`${text}\n`))).toMatchObject({ width: 10, height: 20 });
    for (let length = 0; length < text.length; length += 1)
      expect(() => readImageHeader(Buffer.from(text.slice(0, length)))).toThrow(ImageFault);
  });

  it.each(['<svgx></svgx>', '<html><svg></svg></html>', '<!DOCTYPE svg'])(
    'other XML is not taken for an SVG: %s',
    (text) => {
      expect(() => readImageHeader(Buffer.from(text))).toThrow(/web page or other XML/);
    },
  );
});

describe('bytes of no known format', () => {
  it('reports a fault for any bytes and never throws another error', () => {
    const starts = [
      '',
      '\x89PNG\r\n\x1a\n',
      '\xff\xd8\xff',
      '\xff\xd8\xff\xe0\x00\x00',
      'RIFF\xff\xff\xff\xffWEBPVP8 ',
      'GIF89a\x01\x00\x01\x00\x80\x00\x00',
      'GIF89a\x01\x00\x01\x00\x00\x00\x00,',
      '<svg width="1" viewBox="0 0 x',
    ];
    const bytes = fc.tuple(
      fc.constantFrom(...starts),
      fc.uint8Array({ maxLength: 80 }),
      fc.constantFrom('', '\xff\xd9'),
    );
    fc.assert(
      fc.property(bytes, ([start, middle, end]) => {
        try {
          readImageHeader(Buffer.concat([Buffer.from(start, 'latin1'), middle, Buffer.from(end, 'latin1')]));
        } catch (error) {
          expect(error).toBeInstanceOf(ImageFault);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('reports a fault even for millions of segments', () => {
    const fill = Buffer.alloc(3_000_000, 0xff);
    fill[1] = 0xd8;
    fill[fill.length - 1] = 0xd9;
    expect(() => readImageHeader(fill)).toThrow(ImageFault);
  });
});
