import { ImageFault, type ImageHeader } from './image-fault.ts';

/** Number of bytes in which the root element of a drawing has to begin and end. */
const maxHeadBytes = 64 * 1024;
/** Size of a drawing that states none (CSS 2, section 10.3.2). */
const defaultSize = { width: 300, height: 150 };
const byteOrderMark = '\ufeff';

/**
 * Reads the size of a drawing: `width` and `height` in pixels, otherwise its `viewBox`. The last tag proves that the drawing
 * is complete.
 *
 * @returns `null` if the bytes are no drawing, which is XML whose first element is `svg`.
 * @throws ImageFault
 */
export function readSvg(bytes: Buffer): ImageHeader | null {
  const tag = rootTag(bytes);
  if (tag === null) return null;
  const end = bytes.toString('latin1', Math.max(0, bytes.length - 256)).trimEnd();
  const isEnded = /<\/(?:[\w.-]{1,40}:)?svg\s{0,100}>$/.test(end) || end.endsWith('-->');
  if (!isEnded && !isWholeElement(bytes, tag)) throw new ImageFault('the SVG is cut off');
  const box = attributeOf(tag, 'viewBox')
    ?.trim()
    .split(/[\s,]+/)
    .map(Number);
  return {
    contentType: 'image/svg+xml',
    width: pixelsOf(attributeOf(tag, 'width'), box?.[2]) ?? defaultSize.width,
    height: pixelsOf(attributeOf(tag, 'height'), box?.[3]) ?? defaultSize.height,
  };
}

/** Returns whether the root element has no content and nothing follows it. */
function isWholeElement(bytes: Buffer, tag: string): boolean {
  const end = bytes.toString('utf8', Math.max(0, bytes.length - maxHeadBytes)).trimEnd();
  return tag.endsWith('/') && end.endsWith(`${tag}>`);
}

/** Returns the text of the root element's opening tag without its `>`, or `null` if the root is another element. */
function rootTag(bytes: Buffer): string | null {
  let rest = bytes.toString('utf8', 0, maxHeadBytes);
  if (rest.startsWith(byteOrderMark)) rest = rest.slice(1);
  for (rest = rest.trimStart(); rest.startsWith('<?') || rest.startsWith('<!'); rest = rest.trimStart()) {
    const end = endOfDeclaration(rest);
    if (end === -1) return null;
    rest = rest.slice(end);
  }
  const isRoot = /^<(?:[A-Za-z_][\w.-]{0,40}:)?svg(?![\w:.-])/.test(rest);
  return isRoot ? rest.slice(0, Math.max(4, rest.indexOf('>'))) : null;
}

/** Returns the position after a comment, a processing instruction or a document type; -1 if it does not end. */
function endOfDeclaration(text: string): number {
  const isDocumentType = text.startsWith('<!DOCTYPE');
  const close = text.startsWith('<!--') ? '-->' : '>';
  const subset = isDocumentType ? text.indexOf('[') : -1;
  // The declarations of a document type hold other tags.
  const from = subset !== -1 && subset < text.indexOf('>') ? text.indexOf(']', subset) : 0;
  const end = from === -1 ? -1 : text.indexOf(close, from);
  return end === -1 ? -1 : end + close.length;
}

function attributeOf(tag: string, name: string): string | undefined {
  for (const quote of ['"', "'"]) {
    const at = tag.search(new RegExp(`\\s${name}=${quote}`));
    if (at === -1) continue;
    const from = tag.indexOf(quote, at) + 1;
    return tag.slice(from, tag.indexOf(quote, from));
  }
  return undefined;
}

/** Returns a length in whole pixels. A relative length takes the alternative. */
function pixelsOf(length: string | undefined, alternative: number | undefined): number | undefined {
  const stated = /^[0-9.]+(?:px)?$/.test(length?.trim() ?? '') ? Number.parseFloat(length ?? '') : Number.NaN;
  const pixels = stated > 0 ? stated : alternative;
  return pixels !== undefined && pixels > 0 ? Math.ceil(pixels) : undefined;
}
