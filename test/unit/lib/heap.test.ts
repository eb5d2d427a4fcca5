import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));
/** Module that makes V8 report at the end of a process how far its heap may grow. */
const collectAtEnd = 'data:text/javascript,process.on("exit",()=>gc())';

/** Module that reports every setting of V8 that a process changes. */
const reportSettings = `data:text/javascript,
  import v8 from "node:v8";
  import { syncBuiltinESMExports } from "node:module";
  const { setFlagsFromString } = v8;
  v8.setFlagsFromString = (setting) => {
    console.log("changed", setting);
    setFlagsFromString(setting);
  };
  syncBuiltinESMExports();`;

/** Runs a command that ends without a service. */
function run(flags: readonly string[], ...command: string[]) {
  return spawnSync(process.execPath, ['--import', 'tsx', ...flags, 'src/main.ts', ...command], {
    cwd: root,
    encoding: 'utf8',
    env: { PATH: process.env.PATH },
  });
}

/** Runs a command that ends without a service. Returns the factor by which V8 lets its heap grow. */
function growthOf(...command: string[]): { factor: string | undefined; errors: string } {
  const flags = ['--import', collectAtEnd, '--expose-gc', '--trace-gc-verbose'];
  const { stdout, stderr } = run(flags, ...command);
  // Up to V8 12 the last line of the heap controller shows the factor in use, from V8 13 on the line before it.
  const inUse = [...stdout.matchAll(/\[HeapController\] Limit: .* \(([\d.]+)\)/g)];
  const computed = [...stdout.matchAll(/\[HeapController\] factor ([\d.]+) based on/g)];
  return { factor: (inUse.length > 0 ? inUse : computed).at(-1)?.[1], errors: stderr };
}

describe('the heap', () => {
  it('lets the heap of a service double before the next full collection', () => {
    // Without settings `serve` reports them and ends.
    const { factor, errors } = growthOf('serve');
    expect(factor).toBe('2.0');
    expect(errors).toContain('REDIS_URL');
    expect(errors).not.toContain('flag');
  });

  it('leaves the heap growth of every other command to V8', () => {
    const changes = (...command: string[]) => run(['--import', reportSettings], ...command).stdout;
    expect(changes('serve')).toContain('changed --heap-growing-percent');
    const version = changes('--version');
    expect(version).toMatch(/^\d+\.\d+\.\d+$/m);
    expect(version).not.toContain('changed');
  });
});
