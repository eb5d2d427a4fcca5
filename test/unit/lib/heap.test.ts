import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));
/** Has the engine say at the end of a process how far its heap may grow. */
const collectAtEnd = 'data:text/javascript,process.on("exit",()=>gc())';

/** By how much the engine lets the heap of a command grow; the command ends by itself. */
function growthOf(...command: string[]): { factor: string | undefined; errors: string } {
  const flags = ['--import', 'tsx', '--import', collectAtEnd, '--expose-gc', '--trace-gc-verbose'];
  const { stdout, stderr } = spawnSync(process.execPath, [...flags, 'src/main.ts', ...command], {
    cwd: root,
    encoding: 'utf8',
    env: { PATH: process.env.PATH },
  });
  const factor = [...stdout.matchAll(/\[HeapController\] Limit: .* \(([\d.]+)\)/g)].at(-1)?.[1];
  return { factor, errors: stderr };
}

describe('the heap', () => {
  it('of a service may double before the next full collection, and the engine knows the setting', () => {
    // Without a configuration the service says so and ends.
    const { factor, errors } = growthOf('serve');
    expect(factor).toBe('2.0');
    expect(errors).toContain('REDIS_URL');
    expect(errors).not.toContain('flag');
  });

  it('of every other command is left to the engine', () => {
    const { factor, errors } = growthOf('--version');
    expect(factor).toMatch(/^\d/);
    expect(factor).not.toBe('2.0');
    expect(errors).toBe('');
  });
});
