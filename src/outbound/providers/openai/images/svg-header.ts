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
  if (!end.endsWith('</svg>') && !end.endsWith('-->')) throw new ImageFault('the SVG is cut off');
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

/** Returns the text of the root element's opening tag, or `null` if the root is another element. */
function rootTag(bytes: Buffer): string | null {
  let rest = bytes.toString('utf8', 0, maxHeadBytes);
  if (rest.startsWith(byteOrderMark)) rest = rest.slice(1);
  for (rest = rest.trimStart(); rest.startsWith('<?') || rest.startsWith('<!'); rest = rest.trimStart()) {
    const close = rest.startsWith('<!--') ? '-->' : '>';
    const end = rest.indexOf(close);
    if (end === -1) return null;
    rest = rest.slice(end + close.length);
  }
  const isRoot = rest.startsWith('<svg') && !/[\w:.-]/.test(rest.charAt(4));
  return isRoot ? rest.slice(0, Math.max(4, rest.indexOf('>'))) : null;
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
