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

/** A request of JSON-RPC. Without an id, it gets the next number. */
export interface RpcRequest {
  readonly id?: string;
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

const modernVersion = '2026-07-28';
let lastId = 0;

/** Returns a requester of the revision 2026-07-28, which has no handshake. */
export function modernRequester(service: { readonly url: string }, options: Options = {}): McpRequester {
  return async (method, params = {}) => lastMessage(await openModern(service, { method, params }, options));
}

/** Sends a request of the revision 2026-07-28. Resolves when the head of its response has arrived. */
export function openModern(
  { url }: { readonly url: string },
  { params, ...request }: RpcRequest,
  { key = testKeys.acme, declaresTasks = true }: Options = {},
): Promise<Response> {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': modernVersion,
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1.0.0' },
    'io.modelcontextprotocol/clientCapabilities': declaresTasks
      ? { extensions: { 'io.modelcontextprotocol/tasks': {} } }
      : {},
  };
  const enveloped = { ...request, params: { ...params, _meta } };
  return open({ url, key }, enveloped, modernHeaders(enveloped));
}

/** Returns a requester of the revision 2025-11-25. */
export const legacyRequester =
  (service: { readonly url: string }, options: Pick<Options, 'key'> = {}): McpRequester =>
  async (method, params = {}) =>
    lastMessage(await openLegacy(service, { method, params }, options));

/** Sends a request of the revision 2025-11-25. Resolves when the head of its response has arrived. */
export const openLegacy = (
  { url }: { readonly url: string },
  request: RpcRequest,
  { key = testKeys.acme }: Pick<Options, 'key'> = {},
): Promise<Response> => open({ url, key }, request, { 'mcp-protocol-version': '2025-11-25' });

interface Destination {
  readonly url: string;
  readonly key: string;
}

/** Posts a request of the revision 2026-07-28 whose parameters have their envelope. */
export const postRpc = async (to: Destination, request: RpcRequest) =>
  lastMessage(await open(to, request, modernHeaders(request)));

function modernHeaders({ method, params }: RpcRequest): Record<string, string> {
  const name = params.name ?? params.taskId;
  return {
    'mcp-protocol-version': modernVersion,
    'mcp-method': method,
    ...(name === undefined ? {} : { 'mcp-name': String(name) }),
  };
}

function open(
  { url, key }: Destination,
  request: RpcRequest,
  headers: Record<string, string>,
): Promise<Response> {
  lastId += 1;
  return fetch(new URL('/mcp', url), {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: lastId, ...request }),
  });
}

/** Reads all messages of a response until it ends. */
export async function messagesOf(response: Response): Promise<unknown[]> {
  const text = await response.text();
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream');
  const lines = isStream ? Array.from(text.matchAll(/^data: (.*)$/gm), ([, data]) => data) : [text];
  return lines.map((line) => JSON.parse(line || '{}'));
}

const lastMessage = async (response: Response): Promise<RpcResponse> => ({
  status: response.status,
  ...((await messagesOf(response)).at(-1) as object),
});
