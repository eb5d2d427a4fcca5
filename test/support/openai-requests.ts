import { type ClientRequest, type IncomingHttpHeaders, request } from 'node:http';
import { testKeys } from './service-environment.ts';

/** A response of the OpenAI-compatible API, read completely. */
export interface OpenAiResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Parsed body. `undefined` if it is no JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read arbitrary members.
  readonly body: any;
}

/** A request that waits for its response. */
export interface OpenAiCall {
  readonly request: ClientRequest;
  /** Rejects if the connection ends before the response does. */
  readonly response: Promise<OpenAiResponse>;
}

/** Sends a generation on a connection of its own, as a client without a retry of its own. */
export function startGeneration(
  url: string,
  body: object,
  options: { readonly headers?: Record<string, string>; readonly key?: string } = {},
): OpenAiCall {
  const { headers = {}, key = testKeys.acme } = options;
  const outgoing = request(`${url}/v1/images/generations`, {
    method: 'POST',
    agent: false,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
  });
  const response = new Promise<OpenAiResponse>((resolve, reject) => {
    outgoing.on('error', reject);
    outgoing.on('response', (incoming) => {
      const parts: Buffer[] = [];
      incoming.on('data', (part: Buffer) => parts.push(part));
      incoming.on('error', reject);
      incoming.on('end', () => {
        const text = Buffer.concat(parts).toString();
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          text,
          body: parsed(text),
        });
      });
    });
  });
  response.catch(() => undefined);
  outgoing.end(JSON.stringify(body));
  return { request: outgoing, response };
}

/** Returns the bytes of a generation request, for a test that writes to a connection of its own. */
export const generationBytes = (body: object, headers: Record<string, string> = {}): string => {
  const text = JSON.stringify(body);
  const all = {
    host: 'x',
    authorization: `Bearer ${testKeys.acme}`,
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(text)),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return `POST /v1/images/generations HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${text}`;
};

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
