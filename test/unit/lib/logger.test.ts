import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const module = fileURLToPath(new URL('../../../src/lib/logger.ts', import.meta.url));

/** Runs lines that write to `log` in a separate process. @returns the output, split into lines. */
async function written(program: string): Promise<unknown[]> {
  const code = `
    const { createLogger } = await import(${JSON.stringify(module)});
    const log = createLogger({ level: 'info', pretty: false });
    ${program}`;
  const options = ['--import', 'tsx', '--input-type=module', '--eval', code];
  const { stdout } = await promisify(execFile)(process.execPath, options);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

it('redacts secrets that are passed to a log by mistake, even in nested objects', async () => {
  const lines = await written(`
    log.info({ prompt: 'a', code: 1 });
    log.child({ part: 'x' }).info({ call: { key: 'b', headers: { authorization: 'c' } } });`);
  expect(lines).toMatchObject([
    { prompt: '(hidden)', code: 1 },
    { part: 'x', call: { key: '(hidden)', headers: { authorization: '(hidden)' } } },
  ]);
});

it('keeps redaction in all other loggers if a child logger disables it', async () => {
  const lines = await written(`
    log.child({}, { redact: [] }).info({ url: '/images' });
    log.info({ url: 'https://signed' });`);
  expect(lines).toMatchObject([{ url: '/images' }, { url: '(hidden)' }]);
});

it('logs an error with its causes, but without its other properties', async () => {
  const [line] = await written(`
    const command = { name: 'evalsha', args: ['canary'] };
    const refused = Object.assign(new Error('OOM command not allowed'), { code: 'OOM', command });
    log.info({ err: new Error('not stored', { cause: refused }) });`);
  expect(line).toMatchObject({ err: { type: 'Error', message: 'not stored: OOM command not allowed' } });
  expect(JSON.stringify(line)).not.toContain('canary');
});

it('logs the cause of every attempt of an aggregate error', async () => {
  const lines = await written(`
    const tries = ['ECONNREFUSED ::1', 'ECONNREFUSED 127.0.0.1'].map((message) => new Error(message));
    log.info({ err: Object.assign(new AggregateError(tries), { code: 'ECONNREFUSED', tries: 'canary' }) });
    log.info({ err: 'no error at all' });`);
  expect(lines).toMatchObject([
    { err: { code: 'ECONNREFUSED', errors: ['ECONNREFUSED ::1', 'ECONNREFUSED 127.0.0.1'] } },
    { err: 'no error at all' },
  ]);
  expect(JSON.stringify(lines)).not.toContain('canary');
});
