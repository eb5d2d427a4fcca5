/** Returns the code that the operating system or Node gave an error, such as `ENOENT`, or `undefined`. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
