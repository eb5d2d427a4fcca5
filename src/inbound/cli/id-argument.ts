import { InvalidArgumentError } from 'commander';

/** Parses an id. Another text would become a part of the path of a call, or an empty one. */
export function parseId(text: string): string {
  if (/^[\w-]{1,100}$/.test(text)) return text;
  throw new InvalidArgumentError('It must be an id, for example img_01KEXAMPLE.');
}

/** Parses an id of several, and adds it to the earlier ones. */
export const addId = (text: string, ids: readonly string[] = []): string[] => [...ids, parseId(text)];
