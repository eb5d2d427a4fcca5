import sharp from 'sharp';
import { noiseImage } from './images.ts';
import { pngChunk, withChunks } from './png-file.ts';

/** A repeatable sequence of random numbers (mulberry32). */
export function createRandom(seed: number) {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  /** Returns a whole number from 0 up to but not including `end`. */
  const below = (end: number): number => Math.floor(next() * end);
  return { below, pick: <T>(list: readonly T[]): T => list[below(list.length)] as T };
}
type Random = ReturnType<typeof createRandom>;

/** Creates valid files of every kind that the decoders treat differently. */
export async function validFiles(): Promise<Buffer[]> {
  const pixels = sharp(await noiseImage(96, 64));
  const clear = sharp({ create: { width: 64, height: 48, channels: 4, background: '#12345680' } });
  const exif = { IFD0: { Model: 'Phone 9' }, IFD3: { GPSLatitude: '51/1 30/1 0/1', GPSLatitudeRef: 'N' } };
  const png = await pixels.clone().png().toBuffer();
  const described = pixels.clone().withExif(exif).withIccProfile('p3');
  return [
    png,
    withChunks(png, pngChunk('tEXt', Buffer.from('Title\0x')), pngChunk('prVt', Buffer.alloc(40, 7))),
    await pixels.clone().png({ progressive: true }).toBuffer(),
    await pixels.clone().png({ palette: true, colors: 16 }).toBuffer(),
    await pixels.clone().toColorspace('rgb16').png().toBuffer(),
    await clear.clone().png().toBuffer(),
    await described.clone().png().toBuffer(),
    await pixels.clone().jpeg().toBuffer(),
    await pixels.clone().jpeg({ progressive: true, chromaSubsampling: '4:4:4' }).toBuffer(),
    await pixels.clone().grayscale().jpeg().toBuffer(),
    await pixels.clone().toColorspace('cmyk').jpeg().toBuffer(),
    await described.clone().jpeg().toBuffer(),
    await pixels.clone().jpeg().withMetadata({ orientation: 6 }).toBuffer(),
    await pixels.clone().webp().toBuffer(),
    await pixels.clone().webp({ lossless: true }).toBuffer(),
    await clear.clone().webp({ alphaQuality: 50 }).toBuffer(),
    await described.clone().webp().withMetadata({ orientation: 8 }).toBuffer(),
  ];
}

/** Values that parsers treat specially: limits, markers, signs. */
const specialBytes = [0x00, 0x01, 0x7f, 0x80, 0xc0, 0xc2, 0xd8, 0xd9, 0xda, 0xfe, 0xff];
const specialWords = [0, 1, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff];

type Mutation = (file: Buffer, random: Random) => Buffer;

/** Most faults of parsers lie behind their headers. */
const position = (file: Buffer, { below }: Random): number =>
  below(below(2) === 0 ? Math.min(file.length, 128) : file.length);

function changed(file: Buffer, change: (copy: Buffer) => void): Buffer {
  const copy = Buffer.from(file);
  change(copy);
  return copy;
}

const mutations: readonly Mutation[] = [
  (file, random) =>
    changed(file, (copy) => {
      const at = position(file, random);
      copy[at] = (copy[at] ?? 0) ^ (1 << random.below(8));
    }),
  (file, random) => changed(file, (copy) => (copy[position(file, random)] = random.pick(specialBytes))),
  (file, random) =>
    changed(file, (copy) => {
      const at = Math.min(position(file, random), Math.max(0, copy.length - 4));
      if (copy.length < 4) return;
      if (random.below(2) === 0) copy.writeUInt32BE(random.pick(specialWords), at);
      else copy.writeUInt32LE(random.pick(specialWords), at);
    }),
  (file, random) => file.subarray(0, random.below(file.length + 1)),
  (file, random) => {
    const at = random.below(file.length + 1);
    return Buffer.concat([file.subarray(0, at), file.subarray(at + random.below(200))]);
  },
  (file, random) => {
    const [from, at] = [random.below(file.length + 1), random.below(file.length + 1)];
    const block = file.subarray(from, from + random.below(300));
    return Buffer.concat([file.subarray(0, at), block, file.subarray(at)]);
  },
  (file, random) => {
    const at = random.below(file.length + 1);
    const noise = Buffer.from(Array.from({ length: random.below(64) }, () => random.below(256)));
    return Buffer.concat([file.subarray(0, at), noise, file.subarray(at)]);
  },
  (file, random) => changed(file, (copy) => copy.fill(random.pick(specialBytes), position(file, random))),
];

/** Creates a file with one to four faults, or the beginning of one file with the end of another. */
export function mutate(files: readonly Buffer[], random: Random): Buffer {
  let file = random.pick(files);
  if (random.below(12) === 0) {
    const other = random.pick(files);
    return Buffer.concat([
      file.subarray(0, random.below(file.length)),
      other.subarray(random.below(other.length)),
    ]);
  }
  for (let faults = 1 + random.below(4); faults > 0; faults -= 1) file = random.pick(mutations)(file, random);
  return file;
}
