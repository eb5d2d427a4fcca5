import type { Job, JobImage } from '../../../clients/typescript/src/index.ts';
import type { CliContext, ImageProtocol } from './context.ts';

/** Maximum size of a chunk of the kitty protocol. */
const chunkCharacters = 4_096;
const maxBytes = 20_000_000;

/** Draws the images of a job on a terminal that can. Never writes to a pipe. */
export async function showImages(context: CliContext, job: Pick<Job, 'images'>): Promise<void> {
  const protocol = context.imageProtocol();
  if (protocol === undefined) return;
  for (const image of job.images.toSorted((a, b) => a.index - b.index)) {
    if (canDraw(protocol, image)) context.print(imageSequence(protocol, await image.bytes()));
  }
}

/** kitty decodes PNG only. */
const canDraw = (protocol: ImageProtocol, image: JobImage): boolean =>
  image.size_bytes <= maxBytes && (protocol === 'iterm2' || image.content_type === 'image/png');

/** Returns the terminal sequence that draws an image, 40 columns wide. */
export function imageSequence(protocol: ImageProtocol, bytes: Uint8Array): string {
  const base64 = Buffer.from(bytes).toString('base64');
  if (protocol === 'iterm2') {
    return `\u001b]1337;File=inline=1;size=${bytes.length};width=40;preserveAspectRatio=1:${base64}\u0007`;
  }
  const chunks = base64.match(new RegExp(`.{1,${chunkCharacters}}`, 'g')) ?? [];
  return chunks
    .map((chunk, index) => {
      const start = index === 0 ? 'a=T,f=100,c=40,' : '';
      return `\u001b_G${start}m=${index < chunks.length - 1 ? 1 : 0};${chunk}\u001b\\`;
    })
    .join('');
}
