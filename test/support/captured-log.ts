import type { Log } from '../../src/domain/ports.ts';

/** One line of a log. */
export interface CapturedLine {
  readonly level: keyof Log;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Creates a log that stores its lines. */
export function captured(): { log: Log; lines: CapturedLine[] } {
  const lines: CapturedLine[] = [];
  const at = (level: keyof Log) => (fields: object, message: string) =>
    void lines.push({ level, message, fields: { ...fields } });
  return { log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }, lines };
}
