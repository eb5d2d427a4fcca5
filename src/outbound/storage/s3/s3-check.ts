import { AppError } from '../../../domain/errors.ts';
import { assertListing } from './response-check.ts';
import type { S3Access, S3StorageConfig } from './s3-client.ts';
import { notS3Name, readS3Fault, type S3Fault } from './s3-errors.ts';

const permissions =
  'The credentials are valid but have no access to the bucket: grant s3:ListBucket on it and s3:GetObject, s3:PutObject ' +
  'and s3:DeleteObject on its objects';

const remedies: ReadonlyMap<string, string> = new Map(
  Object.entries({
    SignatureDoesNotMatch: 'The secret key is wrong: correct S3_SECRET_ACCESS_KEY',
    InvalidAccessKeyId: 'The access key is unknown: correct S3_ACCESS_KEY_ID',
    AccessDenied: permissions,
    AllAccessDisabled: permissions,
    ExpiredToken: 'The temporary credentials are expired: renew them',
    InvalidToken: 'The temporary credentials are not valid: renew them',
    RequestTimeTooSkewed: 'The clock of this machine is wrong: set it',
    AuthorizationHeaderMalformed: 'The region is wrong: correct S3_REGION',
  }),
);

/**
 * Checks that the bucket exists and can be accessed. A refused HEAD has no reason, so it is followed by a listing of one
 * key, which needs the same permission and whose response has the reason. The listing also follows a HEAD whose response
 * has no request id of S3, because any web server may send it.
 *
 * @throws the error of the SDK.
 */
export async function checkBucket(
  { client, sdk }: S3Access,
  { bucket }: S3StorageConfig,
  abortSignal: AbortSignal,
): Promise<void> {
  const list = () =>
    client.send(new sdk.ListObjectsV2Command({ Bucket: bucket, MaxKeys: 1 }), { abortSignal });
  let isS3: boolean;
  try {
    const { $metadata } = await client.send(new sdk.HeadBucketCommand({ Bucket: bucket }), { abortSignal });
    isS3 = $metadata.requestId !== undefined;
  } catch (error) {
    const { status } = readS3Fault(error);
    if (status === 400 || status === 403) await list();
    throw error;
  }
  if (!isS3) assertListing(await list());
}

/** Returns an error with the fault of the bucket and a remedy for the operator. */
export function unusableBucket(error: unknown, config: S3StorageConfig): AppError {
  const detail = describeFault(readS3Fault(error), config);
  return new AppError('storage_unavailable', { detail, cause: error });
}

function describeFault(fault: S3Fault, config: S3StorageConfig): string {
  const server = serverOf(config);
  if (fault.status === null) return describeMissingResponse(fault, server, config);
  const bucket = `bucket "${config.bucket}" at ${server}`;
  if (fault.reason === notS3Name || fault.status < 300) {
    return `The server at ${server} is no S3 server, or another one responds for it. Correct S3_ENDPOINT or the proxy.`;
  }
  const region = fault.region;
  if (region !== null && region !== config.region) {
    return `The ${bucket} is in region ${region}, not ${config.region}. Set S3_REGION=${region}.`;
  }
  if (fault.status === 404) return `There is no ${bucket}. Create it, or correct S3_BUCKET or S3_ENDPOINT.`;
  if (fault.status === 301) return `The ${bucket} is in another region. Correct S3_REGION or S3_ENDPOINT.`;
  if (fault.status >= 500 || fault.status === 429) {
    return `The S3 server at ${server} fails (${fault.reason}). Wait, or check that server.`;
  }
  const remedy = remedies.get(fault.reason) ?? 'Check the credentials, their permissions and S3_ENDPOINT';
  return `Access to ${bucket} was refused (${fault.reason}). ${remedy}.`;
}

function describeMissingResponse(fault: S3Fault, server: string, config: S3StorageConfig): string {
  switch (fault.reason) {
    case 'CredentialsProviderError':
      return 'No credentials for S3 were found. Set S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY, or give this machine a role.';
    case 'ECONNREFUSED':
      return `Nothing listens at ${server} (ECONNREFUSED). Start the S3 server, or correct S3_ENDPOINT.`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `The name in ${server} cannot be resolved (${fault.reason}). ${nameRemedy(config)}`;
    case 'timeout':
      return `The S3 server at ${server} does not respond in time. Check S3_ENDPOINT, the network and that server.`;
    default:
      return `The S3 server at ${server} cannot be reached (${fault.reason}). Check S3_ENDPOINT, TLS and the network.`;
  }
}

function nameRemedy(config: S3StorageConfig): string {
  return config.endpoint !== undefined && config.forcePathStyle === false
    ? 'Correct S3_ENDPOINT, or set S3_FORCE_PATH_STYLE=true.'
    : 'Correct S3_ENDPOINT, or check the name server.';
}

/** Returns the name of the S3 server, without the secrets that an address may contain. */
function serverOf(config: S3StorageConfig): string {
  if (config.endpoint === undefined) return `AWS (${config.region})`;
  return URL.canParse(config.endpoint) ? new URL(config.endpoint).origin : 'the address in S3_ENDPOINT';
}
