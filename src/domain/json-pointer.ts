/** Escapes one reference token of a JSON Pointer (RFC 6901, section 3). */
export function pointerToken(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}
