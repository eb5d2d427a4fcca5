/**
 * Returns the `Content-Disposition` (RFC 6266) of a file that browsers show inline and save under a name. An SVG is saved
 * only, because browsers run its scripts if they open it as a page. The result is a safe header value for any name: path
 * separators, quotes and control characters become `_`. A name beyond ASCII is added in the encoding of RFC 8187.
 */
export function contentDisposition(fileName: string): string {
  const name = fileName.toWellFormed().replace(/[\p{Cc}"\\/]/gu, '_');
  const ascii = name.replace(/[^\x20-\x7e]/gu, '_');
  const plain = `${name.endsWith('.svg') ? 'attachment' : 'inline'}; filename="${ascii}"`;
  return ascii === name ? plain : `${plain}; filename*=UTF-8''${extendedValue(name)}`;
}

/** Percent-encodes everything outside `attr-char` of RFC 8187. */
function extendedValue(text: string): string {
  return encodeURIComponent(text).replace(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
