import { expect, it, onTestFinished } from 'vitest';
import { createEnvironment } from '../support/service-environment.ts';
import { startServiceProcess } from '../support/service-process.ts';

it('every log line of a job names its job, its request and its trace, also across a retried call', async () => {
  const environment = await createEnvironment();
  const service = await startServiceProcess(environment.env);
  onTestFinished(async () => {
    await service.stop();
    await environment.remove();
  });
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const submitted = await service.acme
    .post('/images')
    .set('x-request-id', 'request-7')
    .set('traceparent', traceparent)
    .send({ prompt: 'Joined [studio:error=500:1]' })
    .expect(202);
  const untraced = await service.acme.post('/images').send({ prompt: 'No trace' }).expect(202);
  await service.acme.ended(submitted.body.id);
  await service.acme.ended(untraced.body.id);
  await service.stop();

  const lines = service.log.flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []));
  const linesOf = (id: string) => lines.filter((line) => line.job_id === id);
  const joined = { request_id: 'request-7', trace_id: traceparent.slice(3, 35) };
  const messages = linesOf(submitted.body.id).map((line) => line.msg);
  expect(messages).toEqual(expect.arrayContaining(['request', 'job ended']));
  expect(linesOf(submitted.body.id)).toEqual(messages.map(() => expect.objectContaining(joined)));

  const [{ request_id, trace_id }] = linesOf(untraced.body.id);
  expect(request_id).toBe(untraced.headers['x-request-id']);
  expect(trace_id).toMatch(/^[0-9a-f]{32}$/);
  const created = linesOf(untraced.body.id).map((line) => [line.request_id, line.trace_id]);
  expect(created).toEqual(created.map(() => [request_id, trace_id]));
});
