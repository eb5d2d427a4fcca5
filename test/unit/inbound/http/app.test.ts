import { pino } from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { createHttpApp, type HttpDeps } from '../../../../src/inbound/http/app.ts';

/** Returns the time after which the server closes a connection without traffic, in milliseconds. */
async function idleTimeoutMs(keepAliveSeconds: number): Promise<number> {
  const deps = { jobs: {}, inputs: {}, metrics: {}, webhooks: {}, console: {}, openAi: { keepAliveSeconds } };
  const app = await createHttpApp(deps as HttpDeps, {
    logger: pino({ level: 'silent' }),
    version: '1.0.0',
    publicUrl: undefined,
    trustProxy: undefined,
    corsOrigins: undefined,
    servesCallers: false,
  });
  onTestFinished(() => app.close());
  return app.server.timeout;
}

it('keeps the connection of a waiting OpenAI client until its first sign of life', async () => {
  expect(await idleTimeoutMs(25)).toBe(120_000);
  expect(await idleTimeoutMs(250)).toBeGreaterThan(250_000);
});
