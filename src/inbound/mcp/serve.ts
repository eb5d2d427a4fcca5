import type { IncomingMessage, ServerResponse } from 'node:http';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, isInitializeRequest, ProtocolErrorCode } from '@modelcontextprotocol/server';
import { isTooLargeBatch, maxBatchSize } from './limit-messages.ts';
import type { McpCall } from './mcp-call.ts';
import { createServer, type ServerDeps, serverInfoOf } from './server.ts';
import { createTaskSubscriptions, readSubscription } from './tasks/subscriptions.ts';

/** Beginning of the message of a refusal. The rest may repeat any text of the body. */
const refusal = /^Rejected inbound request \(([\w.-]{1,64})\)/;

/** Logs an error of the SDK. Of a refused request it logs the reason only, because the message contains texts of the caller. */
function logFault(log: ServerDeps['log'], error: Error): void {
  const reason = refusal.exec(error.message)?.[1];
  if (reason === undefined) log.warn({ err: error }, 'MCP request failed');
  else log.info({ reason }, 'MCP request refused');
}

/** An authenticated request with its parsed body, and the response to write. */
export interface McpExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: unknown;
  readonly call: McpCall;
}

/** Creates the function that serves one request. Authentication is up to its caller. */
export function createServe(deps: ServerDeps) {
  const createServerOf = createServer(deps);
  const serveSubscription = createTaskSubscriptions({ ...deps, serverInfo: serverInfoOf(deps.version) });
  const exchanges = new WeakMap<object, Pick<McpExchange, 'call' | 'body'>>();
  const handler = createMcpHandler(
    ({ authInfo, era }) => {
      const exchange = authInfo && exchanges.get(authInfo);
      if (!exchange) throw new Error('an MCP request arrived without its caller');
      return createServerOf({ era, call: exchange.call, callsTool: callsTool(exchange.body) });
    },
    { onerror: (error) => logFault(deps.log, error) },
  );
  return async ({ request, response, body: sent, call }: McpExchange): Promise<void> => {
    if (isTooLargeBatch(sent)) return refuseBatch(response);
    const body = withoutCancellations(sent);
    const subscription = readSubscription(request.headers, body);
    if (subscription) return serveSubscription(subscription, response, call);
    const damaged = messagesOf(body).find(isDamagedHandshake);
    if (damaged) return refuseHandshake(damaged, response);
    const auth = { token: '', clientId: call.caller.keyId, scopes: [...call.caller.scopes] };
    exchanges.set(auth, { call, body });
    const respond = toNodeHandler({
      fetch: (web, options) => handler.fetch(web, { ...options, authInfo: auth }),
    });
    await respond(request as Parameters<typeof respond>[0], response, body);
  };
}
export type Serve = ReturnType<typeof createServe>;

interface Message {
  readonly id?: unknown;
  readonly method?: unknown;
}

/** Returns the objects of a body: one message, or those of a batch. */
const messagesOf = (body: unknown): Message[] =>
  [body].flat().filter((message): message is Message => typeof message === 'object' && message !== null);

/** Removes the cancellations of a batch. The SDK would leave the response open, because it cancels a request without a reply. */
function withoutCancellations(body: unknown): unknown {
  if (!Array.isArray(body)) return body;
  const others = body.filter((message) => message?.method !== 'notifications/cancelled');
  return others.length > 0 ? others : body;
}

/** Whether a message or a message of a batch calls a tool. */
const callsTool = (body: unknown): boolean => messagesOf(body).some(({ method }) => method === 'tools/call');

const isDamagedHandshake = (message: Message): boolean =>
  message.method === 'initialize' && !isInitializeRequest(message);

/** Refuses `initialize` with wrong parameters. The SDK would report an internal error with the issues of its schema. */
function refuseHandshake({ id }: Message, response: ServerResponse): void {
  const rpcId = typeof id === 'string' || typeof id === 'number' ? id : null;
  const message = 'Invalid params of initialize. Send protocolVersion, capabilities and clientInfo.';
  refuse(response, { id: rpcId, error: { code: ProtocolErrorCode.InvalidParams, message } });
}

/** Refuses a batch before any of its messages is read. */
function refuseBatch(response: ServerResponse): void {
  const message = `Invalid Request: A batch may have ${maxBatchSize} messages.`;
  refuse(response, { id: null, error: { code: ProtocolErrorCode.InvalidRequest, message } });
}

function refuse(response: ServerResponse, reply: { id: unknown; error: { code: number; message: string } }) {
  response.writeHead(400, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ jsonrpc: '2.0', ...reply }));
}
