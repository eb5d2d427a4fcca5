import type { CallToolResult } from '@modelcontextprotocol/server';
import type { z } from 'zod';
import type { Scope } from '../../domain/api-key.ts';
import type { ImageJob } from '../../domain/image-job.ts';
import type { McpCall } from './mcp-call.ts';

/**
 * Whether a call may end with a task, which the client polls until the job has ended: `never` if the client does not know
 * tasks, `allowed` if the server decides, and `required` if the client requested one.
 */
export type TaskMode = 'never' | 'allowed' | 'required';

/** The call of a tool, and the function that reports its progress. */
export interface ToolContext {
  readonly call: McpCall;
  /** Id of the JSON-RPC request. */
  readonly rpcId: string | number;
  readonly taskMode: TaskMode;
  /** Reports progress if the client requested it. Never rejects. */
  readonly report: (progress: { readonly done: number; readonly message: string }) => Promise<void>;
}

/** The job that goes on after the call, as a task of the client. */
export interface StartedTask {
  readonly task: ImageJob;
}

/** A tool: its documentation for agents, its arguments, and its work. */
export interface Tool<Arguments extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly input: Arguments;
  readonly scope: Scope;
  /** Whether the tool changes nothing. */
  readonly isReadOnly: boolean;
  /** Whether the tool creates a job, and so may end with a task. */
  readonly createsJob?: boolean;
  /** @throws AppError, which becomes a result that the agent understands. */
  readonly run: (args: z.infer<Arguments>, context: ToolContext) => Promise<CallToolResult | StartedTask>;
}

/** Returns a tool with checked types. */
export const defineTool = <Arguments extends z.ZodObject>(tool: Tool<Arguments>): Tool =>
  tool as unknown as Tool;
