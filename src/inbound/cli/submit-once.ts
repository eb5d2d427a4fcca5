import { randomUUID } from 'node:crypto';
import { InvalidArgumentError } from 'commander';
import { checkKey } from '../../../clients/typescript/src/idempotency-key.ts';
import type { Job } from '../../../clients/typescript/src/index.ts';
import type { CliContext } from './context.ts';
import { describeFailure, isRefusal } from './describe-failure.ts';

interface Submission {
  /** Key of an interrupted command; a new key by default. */
  readonly idempotencyKey: string | undefined;
  /** Submits the job. The same key never creates a second job. */
  submit(made: { readonly idempotencyKey: string; readonly wait: false }): Promise<Job>;
  /** Continues with the accepted job, for example until its end. */
  finish(accepted: Job): Promise<Job>;
  /** Returns the text of a failure with the names that the user knows. */
  named?(text: string): string;
}

/** Signals that end a command, and its exit code: that of a process that a signal ended. */
const exitCodes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
type Signal = keyof typeof exitCodes;

/**
 * Submits a job and continues with it. A failure and a signal say how to continue without a second payment, unless the job
 * was certainly not accepted.
 */
export async function submitOnce(context: CliContext, submission: Submission): Promise<Job> {
  const idempotencyKey = submission.idempotencyKey ?? randomUUID();
  const { named = (text: string) => text } = submission;
  let accepted: Job | undefined;
  const howToContinue = () => {
    const known = accepted ? `${accepted.id} is accepted` : 'It is unknown if the job was accepted';
    return `${known}. Repeat the command with --idempotency-key ${idempotencyKey} to continue without a second job.`;
  };
  const interrupted = (signal: Signal) => {
    context.printError(howToContinue());
    process.exit(exitCodes[signal]);
  };
  const signals = Object.keys(exitCodes) as Signal[];
  for (const signal of signals) process.once(signal, interrupted);
  try {
    accepted = await submission.submit({ idempotencyKey, wait: false });
    return await submission.finish(accepted);
  } catch (error) {
    const text = named(describeFailure(error));
    if (!accepted && isRefusal(error)) throw new Error(text, { cause: error });
    throw new Error(`${text}\n${howToContinue()}`, { cause: error });
  } finally {
    for (const signal of signals) process.off(signal, interrupted);
  }
}

/** Parses a key before any call. A key that the client refuses would look like a call with an unknown outcome. */
export function parseKey(text: string): string {
  try {
    checkKey(text);
  } catch (error) {
    throw new InvalidArgumentError(describeFailure(error));
  }
  return text;
}
