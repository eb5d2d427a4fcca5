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

/** A request of JSON-RPC without its id. */
export interface RpcRequest {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

const modernVersion = '2026-07-28';
let lastId = 0;

/** Returns a requester of the revision 2026-07-28, which has no handshake. */
export function modernRequester(
  { url }: { readonly url: string },
  { key = testKeys.acme, declaresTasks = true }: Options = {},
): McpRequester {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': modernVersion,
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1.0.0' },
    'io.modelcontextprotocol/clientCapabilities': declaresTasks
      ? { extensions: { 'io.modelcontextprotocol/tasks': {} } }
      : {},
  };
  return (method, params = {}) => postRpc({ url, key }, { method, params: { ...params, _meta } });
}

/** Returns a requester of the revision 2025-11-25. */
export function legacyRequester(
  { url }: { readonly url: string },
  { key = testKeys.acme }: Pick<Options, 'key'> = {},
): McpRequester {
  return (method, params = {}) =>
    send({ url, key }, { method, params }, { 'mcp-protocol-version': '2025-11-25' });
}

/** Posts a request of the revision 2026-07-28 whose parameters have their envelope. */
export function postRpc(to: { readonly url: string; readonly key: string }, request: RpcRequest) {
  const { method, params } = request;
  const name = params.name ?? params.taskId;
  return send(to, request, {
    'mcp-protocol-version': modernVersion,
    'mcp-method': method,
    ...(name === undefined ? {} : { 'mcp-name': String(name) }),
  });
}

async function send(
  { url, key }: { readonly url: string; readonly key: string },
  request: RpcRequest,
  headers: Record<string, string>,
): Promise<RpcResponse> {
  lastId += 1;
  const response = await fetch(new URL('/mcp', url), {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: lastId, ...request }),
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
