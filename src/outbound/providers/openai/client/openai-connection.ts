import { OpenAI } from 'openai';
import { Agent, buildConnector, type Dispatcher, ProxyAgent } from 'undici';
import { AppError } from '../../../../domain/errors.ts';
import type { Clock } from '../../../../domain/ports.ts';
import { withoutTrailingSlashes } from '../../../../lib/trim-slashes.ts';
import { fetchCarried } from './single-request.ts';
import { skipContinue } from './skip-continue.ts';

export interface OpenAIConnectionConfig {
  readonly apiKey: string;
  /** Address of the API including its version, without a slash at the end. */
  readonly baseUrl?: string | undefined;
  /**
   * Maximum time without a byte, in milliseconds. Set it only for requests that cost nothing and may be repeated, because
   * it also enables connection reuse. By default there is no limit, and every request opens a connection.
   */
  readonly silenceTimeoutMs?: number | undefined;
  /** Proxy for all calls. Default: direct calls. */
  readonly proxy?: string | undefined;
  /** Clock for dates in `Retry-After`. Default: the system clock. */
  readonly clock?: Clock | undefined;
}

/** The official client together with its sockets. */
export interface OpenAIConnection {
  readonly client: OpenAI;
  readonly agent: Dispatcher;
  readonly clock: Clock;
  /** Aborts calls in flight and closes every socket. */
  close(): Promise<void>;
}

const defaultBaseUrl = 'https://api.openai.com/v1';
const connectTimeoutMs = 10_000;
/** Maximum size of the headers of a response. Gateways add headers for the policies of the content and for traces. */
const maxHeaderSize = 64 * 1024;

/**
 * Creates the client that a provider uses for all of its calls.
 *
 * Every call that may cost money opens a new connection (`pipelining: 0`). A server may close a reused connection just as
 * the request is written, and then it is unknown whether an image was made and charged. A handshake costs little compared
 * with the seconds that an image takes.
 *
 * The timeouts of the agent are off, because Node's defaults (300 s) are shorter than a large image takes. Each call has its
 * own deadline instead.
 *
 * @throws AppError `provider_unauthorized` if the key cannot be sent in a header.
 */
export function createOpenAIConnection(config: OpenAIConnectionConfig): OpenAIConnection {
  if (!/^[\x21-\x7e]+$/.test(config.apiKey)) {
    throw new AppError('provider_unauthorized', {
      detail:
        "The provider's API key is empty or holds spaces, line breaks or other characters no key has. Set it again.",
    });
  }
  const agent = openAgent(config);
  const { address, query } = splitQuery(config.baseUrl ?? defaultBaseUrl);
  const client = new OpenAI({
    apiKey: config.apiKey,
    baseURL: address,
    defaultQuery: query,
    // Explicit, because the client would read these values from the environment.
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    logLevel: 'off',
    maxRetries: 0,
    fetch: fetchCarried,
  });
  // The client adds the headers of OPENAI_CUSTOM_HEADERS, which may hold another key, and has no option against it.
  Reflect.set(Reflect.get(client, '_options'), 'defaultHeaders', undefined);
  return { client, agent, clock: config.clock ?? Date.now, close: () => agent.destroy() };
}

function openAgent({ silenceTimeoutMs, proxy }: OpenAIConnectionConfig): Dispatcher {
  const options = {
    pipelining: silenceTimeoutMs === undefined ? 0 : 1,
    headersTimeout: silenceTimeoutMs ?? 0,
    bodyTimeout: silenceTimeoutMs ?? 0,
    maxHeaderSize,
  };
  const connect = { timeout: connectTimeoutMs };
  if (proxy === undefined) return new Agent({ ...options, connect: connectorOf(connect) });
  return new ProxyAgent({ ...options, uri: proxy, requestTls: connect, proxyTls: connect });
}

/** Creates a connector whose sockets skip interim responses. */
function connectorOf(options: buildConnector.BuildOptions): buildConnector.connector {
  const connect = buildConnector(options);
  return (target, callback) =>
    connect(target, (...[error, socket]) => {
      if (error) return callback(error, null);
      skipContinue(socket);
      callback(null, socket);
    });
}

/** Separates the query of a base URL, because the client appends the path of every call. Azure needs `api-version`. */
function splitQuery(baseUrl: string): { address: string; query: Record<string, string> } {
  const url = new URL(baseUrl);
  const query = Object.fromEntries(url.searchParams);
  url.search = '';
  url.hash = '';
  return { address: withoutTrailingSlashes(url.toString()), query };
}
