import { expect, it, onTestFinished } from 'vitest';
import type { CallInput, ImageCall } from '../../src/domain/ports.ts';
import { backgroundProvider } from '../support/background-calls.ts';
import { chunked, noiseImage } from '../support/images.ts';
import { collector, contextOf, failureOf, openAIProvider } from '../support/provider-calls.ts';
import { startRecordingProvider } from '../support/recording-provider.ts';

async function open() {
  const recording = await startRecordingProvider();
  onTestFinished(recording.close);
  return { recording, provider: backgroundProvider(recording.url) };
}

function inputOf(role: CallInput['role'], bytes: Buffer, index = 0): CallInput {
  return {
    role,
    index,
    contentType: 'image/png',
    sizeBytes: bytes.length,
    open: async () => chunked(bytes, 1_000),
  };
}

const callWith = (...inputs: CallInput[]): ImageCall => ({
  model: 'gpt-image-2.6-flare',
  prompt: 'Make it "snow"',
  parameters: { size: '1024x1024', quality: 'low' },
  inputs,
});

it('an edit in the background mode sends its inputs as data URIs with a known length', async () => {
  const { recording, provider } = await open();
  const [first, second, mask] = [
    await noiseImage(64, 64),
    await noiseImage(33, 65),
    await noiseImage(64, 65),
  ];
  const call = callWith(inputOf('image', first), inputOf('image', second, 1), inputOf('mask', mask));
  await provider.generate(call, contextOf(), collector().sink);

  const [request] = recording.requests;
  const uri = (bytes: Buffer) => `data:image/png;base64,${bytes.toString('base64')}`;
  expect(request?.path).toBe('/v1/responses');
  expect(request?.headers['content-length']).toBe(String(request?.body.length));
  expect(JSON.parse(request?.body.toString() ?? '')).toMatchObject({
    model: 'gpt-5.4-mini',
    background: true,
    input: [
      {
        role: 'user',
        content: [
          { type: 'input_text', text: call.prompt },
          { type: 'input_image', image_url: uri(first) },
          { type: 'input_image', image_url: uri(second) },
        ],
      },
    ],
    tools: [
      {
        type: 'image_generation',
        action: 'edit',
        model: call.model,
        quality: 'low',
        input_image_mask: { image_url: uri(mask) },
      },
    ],
    max_tool_calls: 1,
  });
});

it.each([
  ['Images', openAIProvider],
  ['Responses', backgroundProvider],
])('an edit of the %s API whose input breaks off costs nothing', async (_api, providerAt) => {
  const { recording } = await open();
  const provider = providerAt(recording.url);
  const broken: CallInput = {
    ...inputOf('image', Buffer.alloc(100_000)),
    async open() {
      return (async function* () {
        yield Buffer.alloc(50_000);
        throw new Error('the storage is gone');
      })();
    },
  };
  const failure = await failureOf(provider.generate(callWith(broken), contextOf(), collector().sink));
  expect(failure).toMatchObject({ kind: 'refused', code: 'storage_unavailable', billing: 'none' });
  expect(recording.requests).toEqual([]);
});

it('an edit with an input that is not stored any more is refused for good', async () => {
  const { recording, provider } = await open();
  const missing: CallInput = { ...inputOf('image', Buffer.alloc(10)), open: async () => null };
  const failure = await failureOf(provider.generate(callWith(missing), contextOf(), collector().sink));
  expect(failure).toMatchObject({ kind: 'final', code: 'input_unavailable', billing: 'none' });
  expect(recording.requests).toEqual([]);
});

it('an edit with a markup is refused in the background mode without a call', async () => {
  const { recording, provider } = await open();
  const call = callWith(
    inputOf('image', await noiseImage(64, 64)),
    inputOf('markup', await noiseImage(64, 64)),
  );
  expect(await failureOf(provider.generate(call, contextOf(), collector().sink))).toMatchObject({
    kind: 'final',
    code: 'provider_rejected',
    billing: 'none',
    message: expect.stringContaining('Images API'),
  });
  expect(recording.requests).toEqual([]);
});
