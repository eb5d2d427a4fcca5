import { ImageFault, type ImageHeader } from './image-fault.ts';

/** Introducers of blocks, see the GIF89a specification, sections 20 to 27. */
const block = { extension: 0x21, image: 0x2c, trailer: 0x3b } as const;

/**
 * Reads a GIF block by block up to its trailer, which proves that the animation is complete.
 *
 * @throws ImageFault
 */
export function readGif(bytes: Buffer): ImageHeader {
  const cutOff = () => new ImageFault('the GIF is cut off');
  if (bytes.length < 13) throw cutOff();
  let at = 13 + colorTableBytes(bytes[10] ?? 0);
  let frames = 0;
  while (at < bytes.length) {
    const kind = bytes[at];
    if (kind === block.trailer) {
      if (frames === 0) throw new ImageFault('the GIF holds no frame');
      return { contentType: 'image/gif', width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8) };
    }
    if (kind === block.extension) at = skipSubBlocks(bytes, at + 2);
    else if (kind === block.image) {
      frames += 1;
      at = skipSubBlocks(bytes, at + 11 + colorTableBytes(bytes[at + 9] ?? 0));
    } else throw new ImageFault('the GIF holds an unknown block');
  }
  throw cutOff();
}

/** Returns the size of the color table that follows a byte of flags. */
const colorTableBytes = (flags: number) => ((flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 0x07) + 1));

/** Returns the position after a list of sub-blocks, each with its length in front. */
function skipSubBlocks(bytes: Buffer, from: number): number {
  let at = from;
  while (at < bytes.length && bytes[at] !== 0) at += 1 + (bytes[at] ?? 0);
  return at + 1;
}
