import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCommand } from '../support/command-line.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe('the file .env', () => {
  it('config prefers a variable of the environment to .env, also under its other names', async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'model'), 'gpt-image-2');
    await writeFile(
      join(cwd, '.env'),
      'DEFAULT_MODEL=gpt-image-1\nNO_PROXY=of-the-file\nPORT_FILE=missing\n',
    );
    const env = { DEFAULT_MODEL_FILE: 'model', no_proxy: 'of-the-environment', PORT: '9998' };
    const { stdout } = await runCommand(['config'], { cwd, env });
    expect(stdout).toMatch(/^DEFAULT_MODEL +file +gpt-image-2$/m);
    expect(stdout).toMatch(/^NO_PROXY +environment +of-the-environment$/m);
    expect(stdout).toMatch(/^PORT +environment +9998$/m);
  });
});
