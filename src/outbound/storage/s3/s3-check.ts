import { AppError } from '../../../domain/errors.ts';
import type { S3Access, S3StorageConfig } from './s3-client.ts';
import { readS3Fault, type S3Fault } from './s3-errors.ts';

const permissions =
  'The credentials are valid but may not use the bucket: grant s3:ListBucket on it and s3:GetObject, s3:PutObject ' +
  'and s3:DeleteObject on what is in it';

const remedies: Record<string, string> = {
  SignatureDoesNotMatch: 'The secret key is wrong: correct S3_SECRET_ACCESS_KEY',
  InvalidAccessKeyId: 'The access key is unknown there: correct S3_ACCESS_KEY_ID',
  AccessDenied: permissions,
  AllAccessDisabled: permissions,
  ExpiredToken: 'The temporary credentials are expired: renew them',
  InvalidToken: 'The temporary credentials are not valid: renew them',
  RequestTimeTooSkewed: 'The clock of this machine is wrong: set it',
  AuthorizationHeaderMalformed: 'The region does not fit: correct S3_REGION',
};

/**
 * Asks whether the bucket is there for us. An answer to HEAD gives no reason for a refusal, so after one a listing of a
 * single key is asked for: it needs the same permission and its answer carries the reason.
 *
 * @throws what the SDK throws.
 */
export async function askForBucket(
  { client, sdk }: S3Access,
  { bucket }: S3StorageConfig,
  abortSignal: AbortSignal,
): Promise<void> {
  try {
    await client.send(new sdk.HeadBucketCommand({ Bucket: bucket }), { abortSignal });
  } catch (error) {
    const { status } = readS3Fault(error);
    if (status === 400 || status === 403) {
      await client.send(new sdk.ListObjectsV2Command({ Bucket: bucket, MaxKeys: 1 }), { abortSignal });
    }
    throw error;
  }
}

/** What is wrong with the bucket and what to do about it, for the one who runs the service. */
export function unusableBucket(error: unknown, config: S3StorageConfig): AppError {
  const detail = inWords(readS3Fault(error), config);
  return new AppError('storage_unavailable', { detail, cause: error });
}

function inWords(fault: S3Fault, config: S3StorageConfig): string {
  const place = placeOf(config);
  if (fault.status === null) return unansweredInWords(fault, place, config);
  const bucket = `bucket "${config.bucket}" at ${place}`;
  const region = fault.region;
  if (region !== null && region !== config.region) {
    return `The ${bucket} is in region ${region}, not ${config.region}. Set S3_REGION=${region}.`;
  }
  if (fault.status === 404) return `There is no ${bucket}. Create it, or correct S3_BUCKET or S3_ENDPOINT.`;
  if (fault.status === 301) return `The ${bucket} is in another region. Correct S3_REGION or S3_ENDPOINT.`;
  if (fault.status >= 500 || fault.status === 429) {
    return `The S3 server at ${place} has trouble (${fault.reason}). Wait, or look at that server.`;
  }
  const remedy = remedies[fault.reason] ?? 'Check the credentials, their permissions and S3_ENDPOINT';
  return `Access to ${bucket} was refused (${fault.reason}). ${remedy}.`;
}

function unansweredInWords(fault: S3Fault, place: string, config: S3StorageConfig): string {
  switch (fault.reason) {
    case 'CredentialsProviderError':
      return 'No credentials for S3 were found. Set S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY, or give this machine a role.';
    case 'ECONNREFUSED':
      return `Nothing listens at ${place} (ECONNREFUSED). Start the S3 server, or correct S3_ENDPOINT.`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `The name in ${place} cannot be resolved (${fault.reason}). ${nameRemedy(config)}`;
    case 'timeout':
      return `The S3 server at ${place} does not answer in time. Check S3_ENDPOINT, the network and that server.`;
    default:
      return `The S3 server at ${place} cannot be reached (${fault.reason}). Check S3_ENDPOINT, TLS and the network.`;
  }
}

function nameRemedy(config: S3StorageConfig): string {
  return config.endpoint !== undefined && config.forcePathStyle === false
    ? 'Correct S3_ENDPOINT, or set S3_FORCE_PATH_STYLE=true.'
    : 'Correct S3_ENDPOINT, or check the name server.';
}

/** Where S3 is, without anything secret that an address may hold. */
function placeOf(config: S3StorageConfig): string {
  if (config.endpoint === undefined) return `AWS (${config.region})`;
  return URL.canParse(config.endpoint) ? new URL(config.endpoint).origin : 'the address in S3_ENDPOINT';
}
