/** One look at a dependency: says what it found, or throws what is wrong and what to do. */
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

/** Looks at every dependency; one that hangs counts as failed after ten seconds. */
export async function diagnose(checks: readonly Check[]): Promise<Finding[]> {
  return Promise.all(
    checks.map(async ({ name, run }): Promise<Finding> => {
      let timer: NodeJS.Timeout | undefined;
      const limit = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error('did not answer within 10 s')), limitMs);
      });
      try {
        return { name, ok: true, detail: await Promise.race([run(), limit]) };
      } catch (error) {
        return { name, ok: false, detail: error instanceof Error ? error.message : String(error) };
      } finally {
        clearTimeout(timer);
      }
    }),
  );
}
