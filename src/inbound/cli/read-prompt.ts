import { isUtf8 } from 'node:buffer';

const missing = 'Missing prompt. Pass it as an argument, or on standard input.';

/**
 * Returns the prompt of a command: its argument, or standard input without an argument or with `-`.
 *
 * @throws Error if the prompt is empty or not valid UTF-8, so that no job is submitted.
 */
export async function readPrompt(argument: string | undefined): Promise<string> {
  const prompt = argument === undefined || argument === '-' ? await readStdin() : argument;
  if (prompt.trim() === '') throw new Error(missing);
  // Node decodes arguments, and puts this character in place of bytes that are no UTF-8.
  if (prompt.includes('\ufffd')) throw new Error('The prompt is not valid UTF-8. No job was submitted.');
  return prompt;
}

async function readStdin(): Promise<string> {
  if (process.stdin.isTTY) throw new Error(missing);
  const parts: Buffer[] = [];
  for await (const part of process.stdin) parts.push(part);
  const bytes = Buffer.concat(parts);
  if (!isUtf8(bytes))
    throw new Error('The prompt on standard input is not valid UTF-8. No job was submitted.');
  return bytes.toString('utf8').trim();
}
