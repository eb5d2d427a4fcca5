import { createHash, randomFillSync, randomUUID } from 'node:crypto';

/**
 * Identifiers: a prefix for the kind of object, and a ULID (github.com/ulid/spec). A ULID has 48 bits of time and 80 bits
 * of randomness in Crockford's base 32, so ids sort by time of creation.
 */

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const timeLength = 10;
const randomLength = 16;

// Random bytes are read in bulk, because one call per id would cost more than the rest of the functions.
const pool = Buffer.allocUnsafe(4096);
let used = pool.length;

/** Reserves random bytes of the pool. @returns the position of the first one. */
function takeRandom(length: number): number {
  if (used + length > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += length;
  return used - length;
}

/** Returns random bytes in hex, two characters for each byte. */
export function randomHex(length: number): string {
  const start = takeRandom(length);
  return pool.toString('hex', start, start + length);
}

/** Creates a ULID with the given time. */
export function ulid(nowMs: number): string {
  const start = takeRandom(randomLength);
  let random = '';
  for (let i = 0; i < randomLength; i++) random += alphabet[(pool[start + i] ?? 0) & 31];
  return timePart(nowMs) + random;
}

let lastMs = -1;
let lastPart = '';

/** Returns the first ten characters of every ULID of a millisecond. They are a bound for ranges over ids. */
export function timePart(nowMs: number): string {
  // The last result is cached, because a busy process creates many ids in one millisecond.
  if (nowMs === lastMs) return lastPart;
  lastPart = spellTime(nowMs);
  lastMs = nowMs;
  return lastPart;
}

function spellTime(nowMs: number): string {
  let rest = Math.max(0, Math.floor(nowMs));
  let text = '';
  for (let i = 0; i < timeLength; i++) {
    text = (alphabet[rest % 32] ?? '0') + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}

/** Returns the time of creation in an id, in milliseconds since 1970. */
export function timeOf(id: string): number {
  let ms = 0;
  for (const digit of id.slice(-randomLength - timeLength, -randomLength)) {
    ms = ms * 32 + alphabet.indexOf(digit);
  }
  return ms;
}

/** Returns 80 bits of the digest of a text as 16 characters of the same alphabet. */
function digestPart(text: string): string {
  const bytes = createHash('sha256').update(text).digest();
  return Array.from(bytes.subarray(0, randomLength), (byte) => alphabet[byte & 31]).join('');
}

const hostPrefix = 'host_';

/** Whether a destination of webhooks is a host that jobs named, and no endpoint. */
export const isHostDestination = (destinationKey: string): boolean => destinationKey.startsWith(hostPrefix);

/** Creators of the domain's ids. */
export const ids = {
  job: (nowMs: number) => `img_${ulid(nowMs)}`,
  endpoint: (nowMs: number) => `whk_${ulid(nowMs)}`,
  upload: (nowMs: number) => `upl_${ulid(nowMs)}`,
  event: (nowMs: number) => `evt_${ulid(nowMs)}`,
  delivery: (eventAtMs: number, eventId: string, destinationKey: string) =>
    `dlv_${timePart(eventAtMs)}${digestPart(`${eventId} ${destinationKey}`)}`,
  hostDestinationKey: (tenant: string, url: string) =>
    `${hostPrefix}${digestPart(`${tenant} ${new URL(url).origin}`)}`,
  run: () => randomUUID(),
};
