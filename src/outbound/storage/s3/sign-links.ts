import type { LinkOptions } from '../../../domain/ports.ts';
import { contentDisposition } from '../../../lib/content-disposition.ts';
import type { S3Access } from './s3-client.ts';

/** Maximum lifetime of a link in signature version 4. */
const maxLinkSeconds = 604_800;

/** Signs a link to an object. */
export type SignLink = (key: string, options: LinkOptions) => Promise<string>;

/** The part of a link that is the same for all objects of a bucket. */
interface BucketAddress {
  readonly protocol: string;
  readonly hostname: string;
  readonly port: number | undefined;
  /** Path before the key, with a slash at its end. */
  readonly folder: string;
  readonly region: string;
}

/**
 * Creates the signer of a bucket's links. `getSignedUrl` of the SDK resolves the endpoint and runs the whole client for each
 * link, which costs ten times as much CPU time as the signature, and a page of a list has up to 200 links. Therefore it
 * signs one link, which shows the address of the bucket, and the presigner of the SDK signs all others.
 */
export async function createSignLink(access: S3Access, bucket: string): Promise<SignLink> {
  const { S3RequestPresigner } = access.presigner;
  const address = await addressOf(access, bucket);
  const { credentials, sha256 } = access.linkClient.config;
  const presigner = new S3RequestPresigner({ credentials, sha256, region: address.region });
  return async (key, options) => {
    // Signed times are whole seconds, rounded down, so a link never outlives `expiresAtMs`.
    const signedAtSeconds = Math.floor(options.signedAtMs / 1000);
    const lifeSeconds = Math.floor(options.expiresAtMs / 1000) - signedAtSeconds;
    const { protocol, hostname, port, folder } = address;
    const unsigned = {
      ...{ method: 'GET', protocol, hostname, ...(port === undefined ? {} : { port }) },
      path: `${folder}${key}`,
      query: queryOf(options),
      headers: {},
    };
    const { path, query = {} } = await presigner.presign(unsigned, {
      expiresIn: Math.min(maxLinkSeconds, Math.max(1, lifeSeconds)),
      signingDate: new Date(signedAtSeconds * 1000),
    });
    return `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}${path}?${encodeQuery(query)}`;
  };
}

async function addressOf(access: S3Access, bucket: string): Promise<BucketAddress> {
  const command = new access.sdk.GetObjectCommand({ Bucket: bucket, Key: 'key' });
  const link = new URL(await access.presigner.getSignedUrl(access.linkClient, command));
  // The credential is `<access key>/<date>/<region>/s3/aws4_request`.
  const region = link.searchParams.get('X-Amz-Credential')?.split('/').at(-3) ?? '';
  return {
    protocol: link.protocol,
    hostname: link.hostname,
    port: link.port === '' ? undefined : Number(link.port),
    folder: link.pathname.slice(0, -'key'.length),
    region,
  };
}

const queryOf = ({
  contentType,
  fileName,
}: Pick<LinkOptions, 'contentType' | 'fileName'>): Record<string, string> => ({
  'response-content-type': contentType,
  'response-content-disposition': contentDisposition(fileName),
});

/** Encodes a query as its signature expects: all characters but the unreserved ones of RFC 3986. */
const encodeQuery = (query: Readonly<Record<string, unknown>>): string =>
  Object.entries(query)
    .map(([name, value]) => `${encode(name)}=${encode(String(value))}`)
    .join('&');

const encode = (text: string): string =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
