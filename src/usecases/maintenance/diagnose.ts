import { within } from '../../lib/within.ts';

/** A check of one dependency. `run` returns the finding, or throws an error that names the fault and the action. */
export interface Check {
  readonly name: string;
  run(): Promise<string>;
}

export interface Finding {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

const limitMs = 10_000;

/** Runs all checks at the same time. A check that hangs counts as failed after ten seconds. */
export async function diagnose(checks: readonly Check[]): Promise<Finding[]> {
  return Promise.all(
    checks.map(async ({ name, run }): Promise<Finding> => {
      try {
        return { name, ok: true, detail: await within(limitMs, run()) };
      } catch (error) {
        return { name, ok: false, detail: error instanceof Error ? error.message : String(error) };
      }
    }),
  );
}
