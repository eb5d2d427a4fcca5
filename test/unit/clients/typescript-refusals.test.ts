import { describe, expect, it, vi } from 'vitest';
import { getKey } from '../../../clients/typescript/src/generated/index.ts';
import type { EditRequest } from '../../../clients/typescript/src/image-input.ts';
import { Darkroom } from '../../../clients/typescript/src/index.ts';
import { thrownBy } from '../../support/thrown-by.ts';

const baseUrl = 'https://darkroom.example';

describe('refusals of the TypeScript client', () => {
  it('an id that would select another path is refused in every call before any request', async () => {
    const fetch = vi.fn(async () => Response.json({ data: [] }));
    const darkroom = new Darkroom({ apiKey: 'key', baseUrl, fetch });
    for (const id of ['', '.', '..', { id: '' }, undefined as unknown as string]) {
      const calls = [
        ...[() => darkroom.get(id), () => darkroom.wait(id), () => darkroom.cancel(id)],
        ...[() => darkroom.erase(id), () => darkroom.vary(id), () => darkroom.retry(id)],
        ...(id === undefined ? [] : [() => darkroom.events({ job: id }).next()]),
        () => getKey({ client: darkroom.client, path: { id: id as string } }),
      ];
      for (const call of calls) expect(await thrownBy(call)).toBeInstanceOf(TypeError);
    }
    expect(fetch).not.toHaveBeenCalled();
  });

  it('an edit without an image is refused before any request, because it would be a paid generation', async () => {
    const fetch = vi.fn(async () => Response.json({}));
    const darkroom = new Darkroom({ apiKey: 'key', baseUrl, fetch });
    const prompt = 'A fox';
    const missing = [{ images: [] }, { images: undefined }, { images: null }, {}] as unknown as EditRequest[];
    for (const request of missing) {
      const failure = await thrownBy(() => darkroom.edit({ ...request, prompt }));
      expect(failure).toMatchObject({ message: 'images must contain at least one image.' });
    }
    for (const call of [
      () => darkroom.generate({ prompt, images: [] }),
      () => darkroom.estimate({ prompt, images: [] }),
    ]) {
      expect(await thrownBy(call)).toBeInstanceOf(TypeError);
    }
    expect(fetch).not.toHaveBeenCalled();
  });

  it('fields that are null or undefined are not sent', async () => {
    const sent: unknown[] = [];
    const fetch = async (input: string | URL | Request, init?: RequestInit) => {
      const request = input instanceof Request ? input : new Request(input, init);
      const isForm = request.headers.get('content-type')?.startsWith('multipart');
      sent.push(isForm ? [...(await request.formData()).keys()] : await request.json());
      return new Response(null, { status: 404 });
    };
    const darkroom = new Darkroom({ apiKey: 'key', baseUrl, fetch });
    const empty = { quality: null, size: undefined, mask: null, images: null } as unknown as object;
    const request = { prompt: 'A fox', n: 2, ...empty };
    const calls = [
      () => darkroom.generate(request),
      () => darkroom.edit({ ...request, images: Buffer.from('a file') }),
      () => darkroom.estimate(request),
      () => darkroom.vary('img_1', { n: 2, ...{ prompt: null as unknown as string } }),
    ];
    for (const call of calls) expect(await thrownBy(call)).toMatchObject({ status: 404 });
    const json = { prompt: 'A fox', n: 2 };
    expect(sent).toEqual([json, ['prompt', 'n', 'image[]'], json, { index: 0, n: 2 }]);
  });

  it('the message of a refusal names the first invalid fields', async () => {
    const errors = [1, 2, 3, 4, 5].map((no) => ({ pointer: `/field${no}`, detail: 'Must be text.' }));
    const fetch = async () =>
      Response.json({ code: 'validation_failed', detail: 'Correct the fields.', errors }, { status: 422 });
    const failure = await thrownBy(() => new Darkroom({ apiKey: 'key', baseUrl, fetch }).get('img_1'));
    expect(failure).toMatchObject({
      message:
        'Correct the fields. /field1: Must be text. /field2: Must be text. /field3: Must be text. (and 2 more)',
    });
  });

  it('the message of a refusal does not repeat its detail', async () => {
    const errors = [{ pointer: '/n', detail: 'Too many.' }];
    const fetch = async () =>
      Response.json({ code: 'validation_failed', detail: 'Too many.', errors }, { status: 422 });
    const failure = await thrownBy(() => new Darkroom({ apiKey: 'key', baseUrl, fetch }).get('img_1'));
    expect(failure).toMatchObject({ message: 'Too many.' });
  });
});
