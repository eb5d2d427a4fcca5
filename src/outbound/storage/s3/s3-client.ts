import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { refuseHtml } from './response-check.ts';

export interface S3StorageConfig {
  readonly bucket: string;
  readonly region: string;
  /** Address of a server that is not AWS. */
  readonly endpoint?: string | undefined;
  /** Without keys, the standard credential chain of AWS is used (environment, profile, role of the machine). */
  readonly accessKeyId?: string | undefined;
  readonly secretAccessKey?: string | undefined;
  /** Bucket in the path instead of the host name. Default: true if an endpoint is set. */
  readonly forcePathStyle?: boolean | undefined;
  /** Address of the same bucket for callers, used only in links. Default: `endpoint`. */
  readonly publicEndpoint?: string | undefined;
  /** Use of the SDK's checksums. Many servers do not support optional ones. Default `when_required`. */
  readonly checksums?: 'when_required' | 'when_supported' | undefined;
  /** Maximum time for one call including its second try, in milliseconds. Default 60,000. */
  readonly timeoutMs?: number | undefined;
  /** Proxy for all calls. Default: direct calls. */
  readonly proxy?: string | undefined;
}

/** The SDK and two clients of one bucket, for calls and for signed links. */
export interface S3Access {
  readonly sdk: typeof import('@aws-sdk/client-s3');
  readonly presigner: typeof import('@aws-sdk/s3-request-presigner');
  readonly client: S3Client;
  readonly linkClient: S3Client;
}

export const defaultTimeoutMs = 60_000;
const maxAttempts = 2;
const maxConnectMs = 5_000;

/** Loads the SDK and creates the clients. Called on first use, because the SDK costs 300 ms and 24 MB. */
export async function openS3(config: S3StorageConfig): Promise<S3Access> {
  const [sdk, presigner] = await Promise.all([
    import('@aws-sdk/client-s3'),
    import('@aws-sdk/s3-request-presigner'),
  ]);
  const client = new sdk.S3Client(clientOptions(config, config.endpoint));
  refuseHtml(client);
  const linkClient =
    config.publicEndpoint === undefined
      ? client
      : new sdk.S3Client({
          ...clientOptions(config, config.publicEndpoint),
          credentials: client.config.credentials,
        });
  return { sdk, presigner, client, linkClient };
}

function clientOptions(config: S3StorageConfig, endpoint: string | undefined): S3ClientConfig {
  const { accessKeyId, secretAccessKey } = config;
  const checksums = config.checksums === 'when_supported' ? 'WHEN_SUPPORTED' : 'WHEN_REQUIRED';
  const tryMs = Math.ceil((config.timeoutMs ?? defaultTimeoutMs) / maxAttempts);
  return {
    region: config.region,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(accessKeyId === undefined || secretAccessKey === undefined
      ? {}
      : { credentials: { accessKeyId, secretAccessKey } }),
    forcePathStyle: config.forcePathStyle ?? endpoint !== undefined,
    maxAttempts,
    retryMode: 'standard',
    requestHandler: {
      connectionTimeout: Math.min(maxConnectMs, tryMs),
      requestTimeout: tryMs,
      // Without this the SDK prints a warning and continues to wait.
      throwOnRequestTimeout: true,
      ...agentsOf(config.proxy),
    },
    requestChecksumCalculation: checksums,
    responseChecksumValidation: checksums,
    // By default bodies from 2 MiB on wait for "100 Continue", which many servers and proxies never send.
    expectContinueHeader: false,
  };
}

/**
 * Returns the agents for http and https endpoints. A read holds its connection until the caller has the last byte, so the
 * SDK's limit of 50 would let slow callers block everybody else. The streams of callers are limited instead.
 */
function agentsOf(proxy: string | undefined) {
  const options = { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY };
  if (proxy === undefined) return { httpAgent: options, httpsAgent: options };
  const agent = new HttpsProxyAgent(proxy, options);
  return { httpAgent: agent, httpsAgent: agent };
}
