/** Returns a new key. Browsers offer `randomUUID` on secure pages only. */
export function createKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Refuses a key that the service would refuse. @throws TypeError */
export function checkKey(key: string): void {
  // Calls with `null` would share the key "null".
  if (typeof key !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(key)) {
    throw new TypeError('idempotencyKey must be 1 to 255 visible ASCII characters without spaces.');
  }
}
