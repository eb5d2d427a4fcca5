/** The code that the operating system, or Node, gave an error, as `ENOENT`; `undefined` where there is none. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
