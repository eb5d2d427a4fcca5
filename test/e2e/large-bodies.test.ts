import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEnvironment, type TestEnvironment } from '../support/service-environment.ts';
import { type ServiceProcess, startServiceProcess } from '../support/service-process.ts';

// A process of its own: one that shares its event loop with the sender reads no faster than that writes.
let environment: TestEnvironment;
let service: ServiceProcess;
beforeAll(async () => {
  environment = await createEnvironment({ API_KEYS: 'acme:short' });
  service = await startServiceProcess(environment.env);
}, 60_000);
afterAll(async () => {
  await service.stop();
  await environment.remove();
});

/** Sends a body with a client that reads the answer only once everything is sent. */
async function send(contentType: string, megabytes: number): Promise<{ status: number; code: string }> {
  const response = await fetch(`${service.url}/images`, {
    method: 'POST',
    headers: { authorization: 'Bearer short', 'content-type': contentType },
    body: JSON.stringify({ prompt: 'a'.repeat(megabytes << 20) }),
  });
  const { code } = (await response.json()) as { code: string };
  return { status: response.status, code };
}

describe('a body that nobody takes', () => {
  it.each([1, 2, 5, 10, 30])(
    'of %i MB is answered by why, also while it is still being sent',
    async (megabytes) => {
      expect(await send('application/json', megabytes)).toEqual({ status: 413, code: 'payload_too_large' });
      expect(await send('text/plain', megabytes)).toEqual({ status: 415, code: 'unsupported_media_type' });
    },
  );
});

describe('a key that can be guessed', () => {
  it('works, and is warned of when the service starts, without being named', () => {
    const warnings = service.log.filter((line) => line.includes('can be guessed'));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).not.toContain('acme:short');
  });
});
