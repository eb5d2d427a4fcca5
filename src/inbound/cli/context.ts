import type { CircuitBreaker } from '../../domain/ports.ts';
import type { ManageKeys } from '../../usecases/access/manage-keys.ts';
import type { OverrideBudget } from '../../usecases/access/override-budget.ts';
import type { Finding } from '../../usecases/maintenance/diagnose.ts';
import { printableLine } from './printable.ts';
import type { UsageTools } from './usage-tools.ts';

/** The circuit breakers of provider calls, for the command line. */
export interface BreakerTool extends Pick<CircuitBreaker, 'list'> {
  /** Closes the breaker of a scope, and records that. Returns whether it was open. */
  resume(scope: string): Promise<boolean>;
}

/** The API keys of the deployment and the raises of their budgets, for the command line. */
export interface KeyTools extends ManageKeys {
  readonly overrideBudget: OverrideBudget;
}

/** Protocol with which a terminal draws images. */
export type ImageProtocol = 'kitty' | 'iterm2';

/** Dependencies of the commands. `main.ts` provides them from the composition root. */
export interface CliContext {
  readonly version: string;
  /** Prints a line on standard output. */
  readonly print: (line: string) => void;
  /** Resolves when all lines were printed. Rejects if standard output cannot be written. */
  readonly printed: () => Promise<void>;
  /** Prints a line on standard error. */
  readonly printError: (line: string) => void;
  /** Returns true if progress is drawn: on a terminal without NO_COLOR. */
  readonly drawsProgress: () => boolean;
  /** Returns the protocol with which the terminal draws images; `undefined` in a pipe. */
  readonly imageProtocol: () => ImageProtocol | undefined;
  /** Opens a link in the browser, if the output is a terminal. */
  readonly openLink: (url: string) => Promise<void>;
  /** Builds and starts the service. Stops it on SIGTERM, SIGINT and fatal errors. */
  readonly runService: (
    mode: 'serve' | 'dev',
    options: { say: (line: string) => void },
  ) => Promise<StartedService>;
  /** Starts the offline provider alone and returns its base URL. Stops it on SIGTERM and SIGINT. */
  readonly runStudio: (options: { host: string; port: number; latencyMs: number }) => Promise<string>;
  readonly withKeys: <T>(work: (keys: KeyTools) => Promise<T>) => Promise<T>;
  /** Runs work with the circuit breakers of provider calls. */
  readonly withBreaker: <T>(work: (breaker: BreakerTool) => Promise<T>) => Promise<T>;
  /** Runs work with the usage and the ledger of the deployment. */
  readonly withUsage: <T>(work: (tools: UsageTools) => Promise<T>) => Promise<T>;
  readonly webhookSecretOf: (tenant: string) => string;
  readonly diagnose: () => Promise<readonly Finding[]>;
  readonly describeConfig: () => readonly {
    readonly name: string;
    readonly value: string;
    readonly source: string;
  }[];
  readonly openApiDocument: (format: 'yaml' | 'json') => Promise<string>;
  /** Returns the address and the key of the service that commands call. */
  readonly client: () => { url: string; apiKey: string | undefined };
  /** Returns true if only the address of a service is configured, and no Redis. */
  readonly isRemote: () => boolean;
}

export interface StartedService {
  /** Address on which it listens. */
  readonly url: string;
  /** Address in links, if it differs. */
  readonly publicUrl: string | undefined;
  readonly redis: string;
  readonly storage: string;
  readonly provider: string;
  readonly devApiKey: string | undefined;
  /** Token that signs a browser in to the console once. */
  readonly signInToken: string | undefined;
  readonly roles: readonly string[];
}

/** Formats rows as aligned columns. Cells may contain texts of callers, such as the name of a key. */
export function table(texts: readonly (readonly string[])[]): string {
  const rows = texts.map((row) => row.map(printableLine));
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  }
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
