import { expect, it } from 'vitest';
import type { BreakerTool, CliContext } from '../../src/inbound/cli/context.ts';
import { createProgram } from '../../src/inbound/cli/program.ts';
import { createAuditLog } from '../../src/outbound/records/audit-log.ts';
import { createCircuitBreaker } from '../../src/outbound/records/circuit-breaker.ts';
import { createResumeProvider } from '../../src/usecases/maintenance/resume-provider.ts';
import { createdAt } from '../support/jobs.ts';
import { connectTestStore } from '../support/store.ts';

it('darkroom provider status shows blocked scopes, and resume lifts a block for every worker', async () => {
  const store = await connectTestStore();
  const breaker = createCircuitBreaker(store.redis, store.keys, () => createdAt);
  const audit = createAuditLog(store.redis, store.keys, { audit: { ttlMs: 3_600_000, maxEntries: 100 } });
  const resume = createResumeProvider({ breaker, audit, clock: () => createdAt });
  const lines: string[] = [];
  const context = {
    version: '0.0.0',
    print: (line: string) => void lines.push(line),
    withBreaker: (work: (tool: BreakerTool) => Promise<unknown>) =>
      work({ list: breaker.list, resume: (scope) => resume({ kind: 'command_line' }, scope) }),
  } as unknown as CliContext;
  const run = async (...args: string[]) => {
    lines.length = 0;
    await createProgram(context).parseAsync(['node', 'darkroom', 'provider', ...args]);
    return lines.join('\n');
  };

  expect(await run('status')).toBe('No scope is blocked.');
  await breaker.open('openai:account', { code: 'provider_quota_exhausted' });
  expect(await run('status')).toMatch(/openai:account +provider_quota_exhausted +2026-11-23T12:00:00.000Z/);
  expect(JSON.parse(await run('status', '--json'))).toMatchObject([
    { scope: 'openai:account', next_probe_at: '2026-11-23T12:00:05.000Z', blocked_until: null },
  ]);
  expect(await run('resume', 'openai:account')).toBe('openai:account is not blocked any more.');
  expect(await run('resume', 'openai:account')).toBe('openai:account was not blocked.');
  expect(await breaker.findBlock(['openai:account'])).toBeNull();
  const { entries } = await audit.list('admin', { nowMs: createdAt, limit: 10 });
  expect(entries.map(({ entry }) => entry)).toEqual([
    { at: createdAt, action: 'provider.resumed', target: 'openai:account' },
  ]);
});
