import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noiseImage } from '../support/images.ts';
import { startService, type TestService } from '../support/service.ts';
import { testKeys } from '../support/service-environment.ts';

/** Forms as generated clients write them from the schema `ImageForm`. */

let service: TestService;
const uploads: string[] = [];
beforeAll(async () => {
  service = await startService();
  for (const width of [64, 72, 80]) {
    const { body } = await service.acme
      .post('/uploads')
      .set('content-type', 'image/png')
      .send(await noiseImage(width, 48))
      .expect(201);
    uploads.push(body.id);
  }
});
afterAll(() => service.close());

/** Members of a job and of a problem. */
interface Body {
  readonly inputs: readonly { readonly source: { readonly upload_id?: string } }[];
  readonly metadata: unknown;
  readonly request: { readonly retention: unknown };
  readonly errors: readonly { readonly pointer: string; readonly detail: string }[];
}

const json = (value: unknown) => new Blob([JSON.stringify(value)], { type: 'application/json' });

async function post(...fields: [name: string, value: string | Blob][]) {
  const form = new FormData();
  form.append('prompt', 'A fox');
  for (const [name, value] of fields) form.append(name, value as Blob);
  const headers = { authorization: `Bearer ${testKeys.acme}` };
  const response = await fetch(`${service.url}/images`, { method: 'POST', headers, body: form });
  return { status: response.status, body: (await response.json()) as Body };
}

const input = (nth: number) => ({ upload_id: uploads[nth] });
const sources = ({ inputs }: Body) => inputs.map(({ source }) => source.upload_id);

describe('a form of a generated client', () => {
  it('has one field `images` for each input, as hey-api writes an array', async () => {
    // The first text is long, so that it arrives in several pieces.
    const long = JSON.stringify(input(0)).replace('{', `{${' '.repeat(300_000)}`);
    const { status, body } = await post(
      ['images', long],
      ['images', JSON.stringify(input(1))],
      ['images', JSON.stringify(input(2))],
    );
    expect([status, body.errors]).toEqual([202, undefined]);
    expect(sources(body)).toEqual(uploads);
  });

  it('has one input that is no list, and lists beside it', async () => {
    const one = await post(['images', JSON.stringify(input(1))]);
    expect([one.status, sources(one.body)]).toEqual([202, [uploads[1]]]);
    const mixed = await post(
      ['images', JSON.stringify([input(2), input(0)])],
      ['images', '[]'],
      ['images', JSON.stringify(input(1))],
    );
    expect([mixed.status, sources(mixed.body)]).toEqual([202, [uploads[2], uploads[0], uploads[1]]]);
  });

  it('has nested values as JSON files, as browsers send a Blob', async () => {
    const { status, body } = await post(
      ['images', JSON.stringify(input(0))],
      ['metadata', json({ order: '4711' })],
      ['retention', json({ media_s: 3_600 })],
    );
    expect([status, body.errors]).toEqual([202, undefined]);
    expect(body.metadata).toEqual({ order: '4711' });
    expect(body.request.retention).toEqual({ media_s: 3_600 });
  });

  it.each([
    ['a text between lists', ['[]', 'photo.png', '[]'], '/images', /must be a file/],
    ['a list after a text', ['photo.png', '[]'], '/images', /occurs more than once/],
    ['lists that only together are JSON', ['[{"upload_id":"a"}', '{"upload_id":"b"}]]'], '/images', /JSON/],
    ['two lists in one text', ['[{"upload_id":"a"}],[{"upload_id":"b"}]'], '/images', /JSON/],
    [
      'a field that occurs twice in one item',
      ['{"url":"a"}', '{"url":"b","url":"c"}'],
      '/images/1/url',
      /once/,
    ],
    [
      'an unknown field of the second item',
      ['{"url":"https://a.b/c"}', '{"uri":"d"}'],
      '/images/1/uri',
      /known/,
    ],
  ])('is refused with %s', async (_, texts, pointer, detail) => {
    const { status, body } = await post(...texts.map((text): [string, string] => ['images', text]));
    expect([status, body.errors[0]?.pointer]).toEqual([422, pointer]);
    expect(body.errors[0]?.detail).toMatch(detail);
  });

  it('may not repeat a field that is no list', async () => {
    const { status, body } = await post(['metadata', '{"a":"b"}'], ['metadata', '{"c":"d"}']);
    expect([status, body.errors]).toEqual([422, [{ pointer: '/metadata', detail: 'occurs more than once' }]]);
  });

  it('may not have another file in a field of texts', async () => {
    const { status, body } = await post(['metadata', new Blob(['{"a":"b"}'], { type: 'text/plain' })]);
    expect([status, body.errors[0]?.pointer]).toEqual([422, '/metadata']);
    expect(body.errors[0]?.detail).toMatch(/is not a field of files/);
  });
});
