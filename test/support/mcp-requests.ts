import { testKeys } from './service-environment.ts';

/** Response to a JSON-RPC request, with the status of HTTP. */
export interface RpcResponse {
  readonly status: number;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

/** Sends a request of JSON-RPC to `/mcp`. */
export type McpRequester = (method: string, params?: Record<string, unknown>) => Promise<RpcResponse>;

interface Options {
  readonly key?: string;
  /** Whether requests declare the extension for tasks. Default: true. */
  readonly declaresTasks?: boolean;
}

let lastId = 0;

/** Returns a requester of the revision 2026-07-28, which has no handshake. */
export function modernRequester(
  service: { readonly url: string },
  { key = testKeys.acme, declaresTasks = true }: Options = {},
): McpRequester {
  const version = '2026-07-28';
  return (method, params = {}) => {
    const name = params.name ?? params.taskId;
    const headers = {
      'mcp-protocol-version': version,
      'mcp-method': method,
      ...(name === undefined ? {} : { 'mcp-name': String(name) }),
    };
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': version,
      'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1.0.0' },
      'io.modelcontextprotocol/clientCapabilities': declaresTasks
        ? { extensions: { 'io.modelcontextprotocol/tasks': {} } }
        : {},
    };
    return post(service.url, { method, params: { ...params, _meta } }, { ...headers, ...bearer(key) });
  };
}

/** Returns a requester of the revision 2025-11-25. */
export function legacyRequester(
  service: { readonly url: string },
  { key = testKeys.acme }: Pick<Options, 'key'> = {},
): McpRequester {
  return (method, params = {}) =>
    post(service.url, { method, params }, { 'mcp-protocol-version': '2025-11-25', ...bearer(key) });
}

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

async function post(
  url: string,
  message: { readonly method: string; readonly params: Record<string, unknown> },
  headers: Record<string, string>,
): Promise<RpcResponse> {
  lastId += 1;
  const response = await fetch(new URL('/mcp', url), {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: lastId, ...message }),
  });
  const text = await response.text();
  const json = response.headers.get('content-type')?.startsWith('text/event-stream')
    ? text
        .match(/^data: (.*)$/gm)
        ?.at(-1)
        ?.slice('data: '.length)
    : text;
  return { status: response.status, ...JSON.parse(json || '{}') };
}
