import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** A token that signs a browser in once, so that the address of the page never contains an API key. */
export interface SignInLink {
  readonly token: string;
  /** Returns the API key for the token, and invalidates it. Returns null for any other token and after its time. */
  redeem(token: string): string | null;
}

const tokenBytes = 24;

/** Creates the token for an API key. Only its digest is compared. */
export function createSignInLink(
  apiKey: string,
  { clock, ttlMs }: { clock: () => number; ttlMs: number },
): SignInLink {
  const token = randomBytes(tokenBytes).toString('base64url');
  const digest = digestOf(token);
  const expiresAt = clock() + ttlMs;
  let isUsed = false;
  return {
    token,
    redeem(candidate) {
      if (isUsed || clock() > expiresAt || !timingSafeEqual(digestOf(candidate), digest)) return null;
      isUsed = true;
      return apiKey;
    },
  };
}

const digestOf = (text: string) => createHash('sha256').update(text).digest();
