import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type * as Sdk2 from '@modelcontextprotocol/client';
import { onTestFinished } from 'vitest';
import { installPackages } from '../../scripts/install-packages.ts';
import { postRpc, type RpcRequest } from './mcp-requests.ts';
import { testKeys } from './service-environment.ts';

/** Result of a tool as clients return it. */
export interface ToolResult {
  readonly content: readonly { readonly type: string; readonly text?: string }[];
  readonly structuredContent?: Record<string, unknown>;
  readonly isError?: boolean;
}

interface Call {
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** The parts of the client of the first SDK that the tests use. */
export interface Sdk1Client {
  connect(transport: unknown): Promise<void>;
  close(): Promise<void>;
  callTool(call: Call, schema?: undefined, options?: Record<string, unknown>): Promise<ToolResult>;
  readonly experimental: {
    readonly tasks: {
      callToolStream(
        call: Call,
        schema?: undefined,
        options?: Record<string, unknown>,
      ): AsyncIterable<{
        readonly type: string;
        readonly task?: { readonly taskId: string };
        readonly result?: ToolResult;
      }>;
    };
  };
}

/** A session of the official package for tasks. */
export interface TaskSession {
  callTool(
    name: string,
    args: Readonly<Record<string, unknown>>,
    options?: Record<string, unknown>,
  ): Promise<TaskExecution>;
  resumeTask(reference: unknown): Promise<TaskExecution>;
  close(): Promise<void>;
}
interface TaskExecution {
  readonly kind: 'immediate' | 'task';
  /** Returns what another session needs to go on with the task. */
  serializeReference(): unknown;
  settle(): Promise<{ readonly outcome: unknown }>;
}

interface McpPackages {
  loadSdk1(): Promise<{
    readonly Client: new (info: object, options?: object) => Sdk1Client;
    readonly StreamableHTTPClientTransport: new (url: URL, options: object) => unknown;
  }>;
  loadSdk2(): Promise<typeof Sdk2>;
  loadTasks(): Promise<{
    createTaskSessionFromClient(client: unknown, options: object): TaskSession;
    resultFromTaskOutcome(outcome: unknown): ToolResult;
    toolDeclarationFromMcpTool(tool: Sdk2.Tool): unknown;
  }>;
}

interface Target {
  readonly url: string;
  readonly key?: string;
}

export type Revision = '2025-11-25' | '2026-07-28';

/** A session, and what a test does with it. */
export interface OpenSession {
  /** Starts a job as a task. @throws Error if the server returns no task */
  start(args: Readonly<Record<string, unknown>>): Promise<TaskExecution>;
  resume(reference: unknown): Promise<TaskExecution>;
  /** Waits for the end of a task. @throws Error if the task failed or was canceled */
  resultOf(execution: TaskExecution): Promise<ToolResult>;
}

const clientInfo = { name: 'test', version: '1.0.0' };

/** The installed clients. Each connection ends with its test. */
export interface McpClients {
  /** Connects the client of SDK 1, which speaks 2025-11-25. */
  connectSdk1(target: Target): Promise<Sdk1Client>;
  /** Opens a session for tasks over a client of SDK 2, in one of the revisions. */
  openTasks(target: Target, revision: Revision): Promise<OpenSession>;
}

/** Installs the clients. Returns `undefined`, with a message on the console, if npm cannot install them. */
export async function loadMcpClients(): Promise<McpClients | undefined> {
  try {
    const folder = await installPackages(fileURLToPath(new URL('mcp-packages', import.meta.url)));
    const packages: McpPackages = await import(pathToFileURL(join(folder, 'clients.mjs')).href);
    return clientsOf(packages);
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    console.warn(`skipped: the MCP clients in test/support/mcp-packages cannot be installed (${reason})`);
    return undefined;
  }
}

function clientsOf({ loadSdk1, loadSdk2, loadTasks }: McpPackages): McpClients {
  return {
    async connectSdk1({ url, key = testKeys.acme }) {
      const { Client, StreamableHTTPClientTransport } = await loadSdk1();
      const client = new Client(clientInfo);
      await client.connect(new StreamableHTTPClientTransport(new URL('/mcp', url), transportOptions(key)));
      onTestFinished(() => client.close());
      return client;
    },
    async openTasks({ url, key = testKeys.acme }, revision) {
      const { Client, StreamableHTTPClientTransport } = await loadSdk2();
      const isModern = revision === '2026-07-28';
      const client = new Client(clientInfo, isModern ? { versionNegotiation: { mode: 'auto' } } : {});
      await client.connect(new StreamableHTTPClientTransport(new URL('/mcp', url), transportOptions(key)));
      const tasks = await loadTasks();
      const raw = {
        rawDispatch: async (request: RpcRequest) => {
          const { result, error } = await postRpc({ url, key }, request);
          return error ? { kind: 'error', error } : { kind: 'result', result };
        },
        v2RequestFraming: { protocolVersion: revision, clientInfo, clientCapabilities: {} },
      };
      // All processes of a deployment are one endpoint.
      const options = { endpointId: 'darkroom', ...(isModern ? raw : {}) };
      const session = tasks.createTaskSessionFromClient(client, options);
      onTestFinished(async () => {
        await session.close().catch(() => {});
        await client.close();
      });
      const { tools } = await client.listTools();
      const declarations = new Map(tools.map((tool) => [tool.name, tasks.toolDeclarationFromMcpTool(tool)]));
      return {
        async start(args) {
          const task = { preference: isModern ? 'allow' : 'require' };
          const declaration = declarations.get('generate_image');
          const execution = await session.callTool('generate_image', args, { task, declaration });
          if (execution.kind !== 'task') throw new Error('the call returned no task');
          return execution;
        },
        resume: (reference) => session.resumeTask(reference),
        resultOf: async (execution) => tasks.resultFromTaskOutcome((await execution.settle()).outcome),
      };
    },
  };
}

const transportOptions = (key: string) => ({
  requestInit: { headers: { authorization: `Bearer ${key}` } },
});
