import { expect, it } from 'vitest';
import { ProviderError } from '../../../../src/domain/ports.ts';
import type { OpenProvider } from '../../../../src/outbound/providers/provider-definition.ts';
import { redactKey, withoutKey } from '../../../../src/outbound/providers/redact-key.ts';
import { contextOf, drain, imageCall } from '../../../support/provider-calls.ts';

const key = 'gateway.key-of-the-deployment';

/** A provider whose every call fails with a text that holds the key. */
const echoing = async (): Promise<never> => {
  throw new ProviderError(
    {
      ...{ kind: 'final', code: 'provider_rejected', billing: 'none', message: `no, ${key}` },
      provider: { code: key, request_id: key, categories: [key] },
    },
    new Error(`400 no, ${key}`),
  );
};
const provider = redactKey(
  {
    images: { name: 'openai', generate: echoing, resume: echoing, decode: echoing },
    enhancer: { provider: 'openai', model: 'm', enhance: echoing },
    ...{ proxy: undefined, probe: echoing, close: async () => {} },
  } satisfies OpenProvider,
  key,
);

it.each([
  ['generate', () => provider.images.generate(imageCall('a fox'), contextOf(), drain)],
  ['resume', () => provider.images.resume?.('handle', contextOf(), drain)],
  ['decode', () => provider.images.decode((async function* () {})())],
  ['enhance', () => provider.enhancer.enhance('a fox', contextOf())],
  ['probe', () => provider.probe()],
])('a failure of %s tells nothing of the key, and neither does its cause', async (_name, call) => {
  const error = await Promise.resolve(call()).then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ProviderError);
  const { failure, stack, cause } = error as ProviderError;
  expect(JSON.stringify([failure, stack, String(cause)])).not.toContain(key);
  expect(failure.provider?.code).toBe('[redacted]');
});

it('the handle of a call tells nothing of the key, because it may be a response and is stored', async () => {
  const handles: string[] = [];
  const { images, ...rest } = provider;
  const handing = redactKey(
    {
      ...rest,
      images: {
        ...images,
        generate: async (_call, { onHandle }) => {
          await onHandle?.(`links: ${key}`);
          return {};
        },
      },
    },
    key,
  );
  const onHandle = async (handle: string) => void handles.push(handle);
  await handing.images.generate(imageCall('a fox'), contextOf({ onHandle }), drain);
  expect(handles).toEqual(['links: [redacted]']);
});

it('a word that is too short for a key stays in texts, because it may stand there by chance', () => {
  expect(withoutKey({ message: 'none of it' }, 'none')).toEqual({ message: 'none of it' });
});
