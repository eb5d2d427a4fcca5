import type { ManageKeys } from '../../usecases/access/manage-keys.ts';
import type { Finding } from '../../usecases/maintenance/diagnose.ts';

/** What the commands work with; `main.ts` fills it from the composition root. */
export interface CliContext {
  readonly version: string;
  /** Takes ready text; a line break is added. */
  readonly print: (line: string) => void;
  readonly printError: (line: string) => void;
  /** Whether progress is drawn: on a terminal, unless its user wants none. */
  readonly drawsProgress: () => boolean;
  /** Builds and starts the service; stops it on SIGTERM, SIGINT and fatal errors. */
  readonly runService: (
    mode: 'serve' | 'dev',
    options: { say: (line: string) => void },
  ) => Promise<StartedService>;
  readonly withKeys: <T>(work: (keys: ManageKeys) => Promise<T>) => Promise<T>;
  readonly webhookSecretOf: (tenant: string) => string;
  readonly diagnose: () => Promise<readonly Finding[]>;
  readonly describeConfig: () => readonly { name: string; value: string; source: string }[];
  readonly openApiDocument: (format: 'yaml' | 'json') => Promise<string>;
  /** Where `generate` finds a service, and its key. */
  readonly client: () => { url: string; apiKey: string | undefined };
}

export interface StartedService {
  /** Where it listens. */
  readonly url: string;
  /** Where links to it lead, if elsewhere. */
  readonly publicUrl: string | undefined;
  readonly redis: string;
  readonly storage: string;
  readonly provider: string;
  readonly devApiKey: string | undefined;
  readonly roles: readonly string[];
}

/** Prints rows of text as aligned columns. */
export function table(rows: readonly (readonly string[])[]): string {
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
