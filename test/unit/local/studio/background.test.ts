import { describe, expect, it } from 'vitest';
import { readGenerationRequest } from '../../../../src/local/studio/generation-request.ts';
import { StudioRefusal } from '../../../../src/local/studio/refusals.ts';
import {
  createResponseStore,
  type StoredResponse,
  statusAt,
} from '../../../../src/local/studio/response-store.ts';
import { readToolRequest, requestsImage } from '../../../../src/local/studio/tool-request.ts';

const minute = 60_000;

function storeAt(startMs: number) {
  let nowMs = startMs;
  const responses = createResponseStore(() => nowMs);
  const add = (more: Partial<StoredResponse> = {}) =>
    responses.add({
      prompt: 'a cat',
      hostModelName: 'gpt-5.4-mini',
      image: readGenerationRequest({ prompt: 'a cat' }),
      readyAtMs: nowMs,
      slowBodyMs: 0,
      breaksLeft: 0,
      ...more,
    });
  return { responses, add, pass: (ms: number) => (nowMs += ms) };
}

describe('stored background responses of the studio', () => {
  it('deletes each background response ten minutes after its creation', () => {
    const { responses, add, pass } = storeAt(1_000);
    const first = add();
    pass(4 * minute);
    const second = add();
    pass(6 * minute - 1);
    expect(responses.find(first.id)).toBe(first);
    pass(1);
    expect(responses.find(first.id)).toBeUndefined();
    expect(responses.find(second.id)).toBe(second);
    pass(4 * minute);
    expect(responses.find(second.id)).toBeUndefined();
  });

  it('stores only the newest 512 background responses', () => {
    const { responses, add } = storeAt(0);
    const ids = Array.from({ length: 600 }, () => add().id);
    expect(new Set(ids).size).toBe(600);
    const kept = ids.map((id) => responses.find(id) !== undefined);
    expect(kept.indexOf(true)).toBe(88);
    expect(kept.slice(88)).not.toContain(false);
  });

  it('shows the outcome of a background response only after its work time has passed', () => {
    const { add } = storeAt(0);
    const response = add({ readyAtMs: 500 });
    expect(statusAt(response, 1_000)).toBe('in_progress');
    response.outcome = { kind: 'image', bytes: Buffer.from('x'), cut: false };
    expect(statusAt(response, 499)).toBe('in_progress');
    expect(statusAt(response, 500)).toBe('completed');
    response.outcome = { kind: 'failed', error: {} };
    expect(statusAt(response, 500)).toBe('failed');
    response.isCanceled = true;
    expect(statusAt(response, 500)).toBe('cancelled');
  });
});

describe('a request with the image tool', () => {
  const body = (tool: object = {}, rest: object = {}) => ({
    model: 'gpt-5.4-mini',
    input: 'a cat',
    background: true,
    tools: [{ type: 'web_search' }, { type: 'image_generation', ...tool }],
    ...rest,
  });

  it('reads a request with the image tool as a request of the Images API', async () => {
    const tool = {
      model: 'gpt-image-2',
      size: '1536x1024',
      quality: 'low',
      output_format: 'webp',
      action: 'auto',
    };
    expect(await readToolRequest(body(tool))).toMatchObject({
      hostModelName: 'gpt-5.4-mini',
      prompt: 'a cat',
      image: { prompt: 'a cat', width: 1536, height: 1024, quality: 'low', format: 'webp' },
    });
  });

  it('distinguishes an image request from a text request', () => {
    expect(requestsImage(body())).toBe(true);
    expect(requestsImage({ input: 'a cat' })).toBe(false);
    expect(requestsImage({ input: 'a cat', tools: [{ type: 'web_search' }, 'image_generation'] })).toBe(
      false,
    );
  });

  it.each([
    ['not in the background', body({}, { background: false }), 'background'],
    ['not stored', body({}, { store: false }), 'background'],
    ['with a size that no model takes', body({ size: '7x7' }), 'size'],
    ['with an unknown parameter', body({ style: 'vivid' }), 'style'],
    ['without a prompt', body({}, { input: '' }), 'input'],
  ])('refuses a request %s and names the parameter', async (_name, given, param) => {
    const error = await readToolRequest(given).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(StudioRefusal);
    expect(error).toMatchObject({ status: 400, param });
  });
});
