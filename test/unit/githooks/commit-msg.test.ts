import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const hook = new URL('../../../.githooks/commit-msg', import.meta.url).pathname;

/** Runs the hook as Git does. Returns its error message, or nothing if it accepts the message. */
async function check(message: string): Promise<string> {
  const file = join(await temporaryFolder(), 'COMMIT_EDITMSG');
  await writeFile(file, message);
  return promisify(execFile)(hook, [file]).then(
    () => '',
    (error: { stderr: string }) => error.stderr,
  );
}

describe('the commit-msg hook', () => {
  it.each([
    'fix(config): report an unreadable .env as a config error',
    'feat: list jobs by parent\n\nCallers look for the variations of an image.',
    'refactor(outbound/queue)!: rename the intake',
    'docs: embed the diagram of states',
    `test(http): ${'é'.repeat(60)}`,
    'Merge branch main',
    '# a comment of the editor\n\nperf(records): read a job without a schema walk',
  ])('accepts the commit message "%s"', async (message) => {
    expect(await check(message)).toBe('');
  });

  it.each([
    ['Report an unreadable .env', 'is not `type(scope): imperative`'],
    ['fix(Config): report an unreadable .env', 'is not `type(scope): imperative`'],
    ['feature: list jobs', 'is not `type(scope): imperative`'],
    ['fix: ', 'is not `type(scope): imperative`'],
    ['fix: added a check', '"added" is not an imperative'],
    ['fix: fixes the list', '"fixes" is not an imperative'],
    ['fix: list jobs by parent.', 'ends with a period'],
    [`fix: ${'x'.repeat(68)}`, 'has 73 characters, 72 are allowed'],
    ['', 'is not `type(scope): imperative`'],
  ])('refuses the commit message "%s" and prints: %s', async (message, complaint) => {
    expect(await check(message)).toContain(complaint);
  });
});
