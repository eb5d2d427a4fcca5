import sharp from 'sharp';
import { noiseImage } from './images.ts';
import {
  blackPng,
  lateProfileBomb,
  pngChunk,
  pngOf,
  profileBomb,
  textBomb,
  withChunks,
  zlibOfZeros,
} from './png-file.ts';

/** A file that no entry may accept. */
export interface HostileFile {
  readonly name: string;
  readonly bytes: Buffer;
  /** Part of the reason that its caller reads. */
  readonly reason: RegExp;
}

const latin1 = (text: string) => Buffer.from(text, 'latin1');
const script = '<script>alert(document.cookie)</script>';
const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8" onload="alert(1)">${script}</svg>`;
const page = `<!DOCTYPE html><html><body>${script}</body></html>`;

/** Creates an archive (APPNOTE.TXT 4.3) of one stored file. Its comment may cover bytes that follow. */
export function zipOf(content: string, commentBytes = 0): Buffer {
  const name = latin1('a.txt');
  const local = Buffer.alloc(30);
  local.write('PK\x03\x04', 0, 'latin1');
  local.writeUInt32LE(content.length, 18);
  local.writeUInt32LE(content.length, 22);
  local.writeUInt16LE(name.length, 26);
  const central = Buffer.alloc(46);
  central.write('PK\x01\x02', 0, 'latin1');
  central.writeUInt32LE(content.length, 20);
  central.writeUInt32LE(content.length, 24);
  central.writeUInt16LE(name.length, 28);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 0, 'latin1');
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length + name.length, 12);
  end.writeUInt32LE(local.length + name.length + content.length, 16);
  end.writeUInt16LE(commentBytes, 20);
  return Buffer.concat([local, name, latin1(content), central, name, end]);
}

/** Creates a JPEG segment. */
function segment(marker: number, data: Buffer): Buffer {
  const head = Buffer.of(0xff, marker, 0, 0);
  head.writeUInt16BE(data.length + 2, 2);
  return Buffer.concat([head, data]);
}

/** Inserts segments after the start of a JPEG file. */
const withSegments = (jpeg: Buffer, ...segments: readonly Buffer[]): Buffer =>
  Buffer.concat([jpeg.subarray(0, 2), ...segments, jpeg.subarray(2)]);

const half = (bytes: Buffer) => bytes.subarray(0, bytes.length >> 1);

/** Removes bytes from the middle, so that beginning and end stay. */
const holed = (bytes: Buffer) =>
  Buffer.concat([bytes.subarray(0, bytes.length >> 1), bytes.subarray((bytes.length >> 1) + 1_000)]);

const frames = (format: 'webp' | 'gif') =>
  sharp(Buffer.alloc(8 * 16 * 3, 99).fill(0, 8 * 8 * 3), {
    raw: { width: 8, height: 16, channels: 3, pageHeight: 8 },
  })
    .toFormat(format)
    .toBuffer();

/** Creates a PNG of two frames (APNG 1.0). */
function apng(): Buffer {
  const control = Buffer.alloc(26);
  control.writeUInt32BE(8, 4);
  control.writeUInt32BE(8, 8);
  const pixels = zlibOfZeros(9 * 8);
  return pngOf(
    { width: 8, height: 8, color: 0 },
    pngChunk('acTL', Buffer.of(0, 0, 0, 2, 0, 0, 0, 0)),
    pngChunk('fcTL', control),
    pngChunk('IDAT', pixels),
  );
}

const brands = (brand: string) => latin1(`\0\0\0\x18ftyp${brand}\0\0\0\0mif1${brand}`);

/** Creates the files that every entry must refuse. They are the same in every run. */
export async function hostileFiles(): Promise<HostileFile[]> {
  const samples: Samples = {
    png: await noiseImage(320, 200),
    small: await noiseImage(80, 60),
    jpeg: await noiseImage(320, 200, 'jpeg'),
    webp: await noiseImage(320, 200, 'webp'),
  };
  return [
    ...damagedFiles(samples),
    ...foreignFiles(samples),
    ...bombs(samples),
    ...(await unsupportedFiles(samples)),
  ];
}

/** Valid images. `small` fits into the comment of an archive. */
type Samples = Readonly<Record<'png' | 'small' | 'jpeg' | 'webp', Buffer>>;

const named = (name: string, bytes: Buffer, reason: RegExp): HostileFile => ({ name, bytes, reason });
const times = (count: number, create: (at: number) => Buffer) =>
  Array.from({ length: count }, (_, at) => create(at + 1));

function damagedFiles({ png, jpeg, webp }: Samples): HostileFile[] {
  return [
    named(
      'a PNG of 50,000x50,000 pixels',
      blackPng({ width: 50_000, height: 50_000, depth: 1, color: 0 }),
      /50000x50000 pixels/,
    ),
    named(
      'a PNG whose header promises 4 billion pixels',
      pngOf({ width: 0x7fffffff, height: 2, color: 6 }, pngChunk('IDAT', zlibOfZeros(9))),
      /pixels|damaged/,
    ),
    named('a PNG cut in the middle', half(png), /truncated/),
    named('a JPEG cut in the middle', half(jpeg), /truncated/),
    named('a WebP cut in the middle', half(webp), /truncated/),
    named('a PNG with a hole', holed(png), /damaged|truncated/),
    named(
      'a PNG without most of its pixels',
      pngOf({ width: 4_000, height: 4_000, color: 2 }, pngChunk('IDAT', zlibOfZeros(99))),
      /damaged/,
    ),
    named(
      'a JPEG without its pixels',
      Buffer.concat([jpeg.subarray(0, 700), Buffer.of(0xff, 0xd9)]),
      /damaged|truncated/,
    ),
  ];
}

/** Files of another type, and files of two types. */
function foreignFiles({ png, small, jpeg, webp }: Samples): HostileFile[] {
  return [
    named('an SVG with scripts', latin1(svg), /SVG/),
    named(
      'an SVG behind an XML declaration',
      latin1(`\ufeff<?xml version="1.0"?>\n<!DOCTYPE svg>${svg}`.replace('\ufeff', '\xef\xbb\xbf')),
      /SVG/,
    ),
    named('a web page', latin1(page), /Web pages/),
    named('an archive', zipOf('secret'), /Archives/),
    named(
      'a PNG signature before an archive',
      Buffer.concat([png.subarray(0, 8), zipOf('secret')]),
      /damaged/,
    ),
    named('a PNG with an archive behind it', Buffer.concat([png, zipOf('secret')]), /foreign data/),
    named(
      'a PNG whose archive ends with it',
      withChunks(small, pngChunk('prVt', zipOf('secret', small.length - 33 + 4))),
      /archive/,
    ),
    named('a JPEG with a web page behind it', Buffer.concat([jpeg, latin1(page)]), /foreign data/),
    named(
      'a JPEG with an archive behind a second image',
      Buffer.concat([jpeg, jpeg, zipOf('secret')]),
      /foreign data|archive/,
    ),
    named(
      'a JPEG whose archive ends with it',
      withSegments(jpeg, segment(0xfe, zipOf('secret', jpeg.length - 2))),
      /archive/,
    ),
    named('a WebP with a script behind it', Buffer.concat([webp, latin1(script)]), /foreign data/),
  ];
}

/** Files that a decoder expands, or whose parts cost more than their pixels. */
function bombs({ png, jpeg }: Samples): HostileFile[] {
  const exif = Buffer.concat([latin1('Exif\0\0'), Buffer.alloc(60_000)]);
  const profile = (at: number) =>
    Buffer.concat([latin1('ICC_PROFILE\0'), Buffer.of(at, 20), Buffer.alloc(65_000)]);
  return [
    named(
      'a JPEG with 1.2 MB of EXIF',
      withSegments(jpeg, ...times(20, () => segment(0xe1, exif))),
      /metadata/,
    ),
    named(
      'a PNG with 2 MB of EXIF',
      withChunks(png, pngChunk('eXIf', Buffer.concat([latin1('MM\0*'), Buffer.alloc(2_000_000)]))),
      /metadata/,
    ),
    named(
      'a PNG whose text becomes 1 GB',
      withChunks(png, textBomb('Raw profile type exif', 1 << 30)),
      /metadata/,
    ),
    named(
      'a PNG with 200 texts of 5 MB each',
      withChunks(png, ...times(200, (at) => textBomb(`t${at}`, 5_000_000))),
      /metadata/,
    ),
    named(
      'a JPEG with a color profile of 1.3 MB',
      withSegments(jpeg, ...times(20, (at) => segment(0xe2, profile(at)))),
      /color profile/,
    ),
    named('a PNG whose color profile becomes 1 GB', withChunks(png, profileBomb(1 << 30)), /color profile/),
    named(
      'a PNG whose color profile becomes long late',
      withChunks(png, lateProfileBomb(png.subarray(0, 150_000), 40_000_000)),
      /color profile/,
    ),
    named(
      'a PNG of 200,000 chunks',
      withChunks(png, Buffer.concat(Array<Buffer>(200_000).fill(pngChunk('prVt')))),
      /too many parts/,
    ),
  ];
}

async function unsupportedFiles({ png }: Samples): Promise<HostileFile[]> {
  return [
    named('an animated WebP', await frames('webp'), /Animations/),
    named('an animated PNG', apng(), /Animations/),
    named('an animated GIF', await frames('gif'), /GIF/),
    named('a HEIC photo', brands('heic'), /convert to JPEG/),
    named('an AVIF image', brands('avif'), /AVIF/),
    named('no bytes', Buffer.alloc(0), /empty|base64/),
    named('random bytes', Buffer.from(png.subarray(1_000, 3_000)), /no image/),
  ];
}
