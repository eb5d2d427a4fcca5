import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';

/** By how much the engine of a new process lets its heap grow, decided at a full collection after some code ran. */
function growthAfter(code: string): { factor: string | undefined; errors: string } {
  const script = `
    const kept = Array.from({ length: 200_000 }, (_, i) => ({ i }));
    ${code};
    gc();
    process.exitCode = kept.length > 0 ? 0 : 1;
  `;
  const flags = ['--import', 'tsx', '--input-type=module', '--expose-gc', '--trace-gc-verbose'];
  const { stdout, stderr, status } = spawnSync(process.execPath, [...flags, '--eval', script], {
    encoding: 'utf8',
    cwd: import.meta.dirname,
  });
  expect(status, stderr).toBe(0);
  const factor = [...stdout.matchAll(/\[HeapController\] Limit: .* \(([\d.]+)\)/g)].at(-1)?.[1];
  return { factor, errors: stderr };
}

describe('the heap of a service', () => {
  it('may double before the next full collection, and the engine knows the setting', () => {
    const tuned = growthAfter(
      "const { collectInFullLessOften } = await import('../../../src/lib/heap.ts'); collectInFullLessOften()",
    );
    expect(tuned).toEqual({ factor: '2.0', errors: '' });
    expect(growthAfter('').factor).not.toBe('2.0');
  });
});
