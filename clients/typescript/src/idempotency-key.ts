/** Returns a new key. Browsers offer `randomUUID` on secure pages only. */
export function createKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Returns a key. @throws TypeError if the service would refuse it */
export function checkKey(key: string): string {
  // Calls with `null` would share the key "null".
  if (typeof key !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(key)) {
    throw new TypeError('idempotencyKey must be 1 to 255 visible ASCII characters without spaces.');
  }
  return key;
}
