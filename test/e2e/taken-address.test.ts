import { expect, it, onTestFinished } from 'vitest';
import { startServiceIn } from '../support/service.ts';
import { createEnvironment, imageCalls } from '../support/service-environment.ts';
import { startServiceProcess } from '../support/service-process.ts';

it('a process whose address is in use exits with 1, names the remedy and runs no job', {
  timeout: 90_000,
}, async () => {
  const environment = await createEnvironment();
  onTestFinished(environment.remove);
  const api = await startServiceIn(environment, { ROLES: 'api' });
  onTestFinished(api.close);
  const { id } = await api.acme.submit({ prompt: 'Left to another process' });
  const { port: PORT } = new URL(api.url);

  await expect(startServiceProcess({ ...environment.env, PORT })).rejects.toThrow(
    `the service ended (1) before it listened:\nCannot listen on 127.0.0.1:${PORT}: another program uses this port. Stop it, or set PORT to a free port.`,
  );
  expect((await api.acme.job(id)).status).toBe('queued');
  expect(imageCalls(environment.studio)).toEqual([]);
});
