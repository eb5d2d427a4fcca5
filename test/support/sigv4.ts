import { createHash, createHmac } from 'node:crypto';

/**
 * AWS Signature Version 4 for S3, independent of the SDK. Sources: "Authenticating Requests: Using Query Parameters" and
 * "Using the Authorization Header" in the S3 API reference.
 */

export interface SignedRequest {
  readonly method: string;
  /** Path and query as sent. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** The signature of a request with its parameters, not verified yet. */
export interface SignatureClaim {
  readonly accessKeyId: string;
  /** `date/region/s3/aws4_request`. */
  readonly scope: string;
  /** `YYYYMMDDTHHMMSSZ`. */
  readonly signedAt: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** Lifetime of a link. `null` for other requests. */
  readonly expiresSeconds: number | null;
}

/** Reads the signature of a link or of an Authorization header. Returns `null` if there is none. */
export function readClaim(request: SignedRequest): SignatureClaim | null {
  const query = new URLSearchParams(request.target.split('?')[1] ?? '');
  const text = query.has('X-Amz-Signature')
    ? {
        credential: query.get('X-Amz-Credential') ?? '',
        signedHeaders: query.get('X-Amz-SignedHeaders') ?? '',
        signature: query.get('X-Amz-Signature') ?? '',
        signedAt: query.get('X-Amz-Date') ?? '',
      }
    : readAuthorization(request);
  if (text === null) return null;
  const [accessKeyId = '', ...scope] = text.credential.split('/');
  const expires = query.get('X-Amz-Expires');
  return {
    accessKeyId,
    scope: scope.join('/'),
    signedAt: text.signedAt,
    signedHeaders: text.signedHeaders.split(';'),
    signature: text.signature,
    expiresSeconds: expires === null ? null : Number(expires),
  };
}

/** Computes the signature of a request with a secret key. */
export function signatureOf(request: SignedRequest, claim: SignatureClaim, secretAccessKey: string): string {
  const toSign = ['AWS4-HMAC-SHA256', claim.signedAt, claim.scope, sha256(canonicalRequest(request, claim))];
  let key: Buffer = Buffer.from(`AWS4${secretAccessKey}`);
  for (const part of claim.scope.split('/')) key = hmac(key, part);
  return hmac(key, toSign.join('\n')).toString('hex');
}

/** Returns the expiry of a link, in milliseconds since the epoch. */
export function expiryOf(claim: SignatureClaim): number {
  const [, y, mo, d, h, mi, s] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(claim.signedAt) ?? [];
  const signedAtMs = Date.UTC(Number(y), Number(mo) - 1, Number(d), Number(h), Number(mi), Number(s));
  return signedAtMs + (claim.expiresSeconds ?? 0) * 1000;
}

function canonicalRequest(request: SignedRequest, claim: SignatureClaim): string {
  const [path = '', rawQuery = ''] = request.target.split('?');
  const query = [...new URLSearchParams(rawQuery)]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort();
  const headers = claim.signedHeaders.map(
    (name) => `${name}:${String(request.headers[name] ?? '').trim()}\n`,
  );
  const payload =
    claim.expiresSeconds === null ? String(request.headers['x-amz-content-sha256']) : 'UNSIGNED-PAYLOAD';
  const canonicalPath = path
    .split('/')
    .map((part) => encode(decodeURIComponent(part)))
    .join('/');
  return [
    request.method,
    canonicalPath,
    query.join('&'),
    headers.join(''),
    claim.signedHeaders.join(';'),
    payload,
  ].join('\n');
}

function readAuthorization({ headers }: SignedRequest) {
  const found = /^AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=(\w+)$/.exec(
    String(headers.authorization ?? ''),
  );
  if (found === null) return null;
  const [, credential = '', signedHeaders = '', signature = ''] = found;
  return { credential, signedHeaders, signature, signedAt: String(headers['x-amz-date']) };
}

/** Percent-encodes all but the unreserved characters of RFC 3986. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
