import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { noiseImage } from '../support/images.ts';
import { openRaw, readResponse } from '../support/raw-http.ts';
import { type RecordingProvider, startRecordingProvider } from '../support/recording-provider.ts';
import { startService, type TestService } from '../support/service.ts';
import { testKeys } from '../support/service-environment.ts';

let provider: RecordingProvider;
let service: TestService;
let png: Buffer;
beforeAll(async () => {
  provider = await startRecordingProvider();
  service = await startService(provider.env);
  png = await noiseImage(320, 200);
});
afterAll(async () => {
  await service.close();
  await provider.close();
});

type Part = readonly [head: string, bytes: Buffer | string];

const formType = 'multipart/form-data; boundary=b';
const formOf = (...parts: readonly Part[]): Buffer =>
  Buffer.concat([
    ...parts.flatMap(([head, bytes]) => [
      Buffer.from(`--b\r\ncontent-disposition: form-data${head}\r\n\r\n`),
      Buffer.from(bytes as string),
      Buffer.from('\r\n'),
    ]),
    Buffer.from('--b--\r\n'),
  ]);

const post = (path: string, body: Buffer, contentType = formType) =>
  service.acme.post(path).set('content-type', contentType).send(body);

/** Expects that refused forms left no temporary file and no paid call. */
async function expectNothingLeft(): Promise<void> {
  expect(provider.requests).toEqual([]);
  await eventually(async () => expect(await readdir(join(service.dataDir, 'incoming'))).toEqual([]));
}

const paths = ['/images', '/uploads', '/v1/images/edits', '/v1/files'];
const refusalOf = (path: string) => (path.startsWith('/v1/') ? 400 : 422);

describe('a part without a name', () => {
  it.each(paths)('is refused at %s, as a file, as a text and with an empty name', async (path) => {
    for (const head of ['; filename="a.png"', '', '; name=""', '; name=""; filename="a.png"']) {
      const { status, body } = await post(path, formOf([head, png]));
      expect([head, status, body.code]).toEqual([head, refusalOf(path), 'validation_failed']);
      expect(body.detail).toContain('part without a name');
      expect(body.errors).toEqual([{ pointer: '', detail: 'has a part without a name' }]);
    }
    await expectNothingLeft();
  });
});

describe('a text of a form', () => {
  const invalid = Buffer.from([0x66, 0xe9, 0xff]);

  it.each([
    '',
    '\r\ncontent-type: text/plain; charset=utf-8',
    '\r\ncontent-type: text/plain; charset=latin1',
  ])('is refused if it is not valid UTF-8, as in JSON: "%j"', async (type) => {
    for (const path of ['/images', '/v1/images/edits', '/v1/files']) {
      const { status, body } = await post(path, formOf([`; name="prompt"${type}`, invalid]));
      expect([status, body.code]).toEqual([400, 'invalid_request']);
      expect(body.detail).toContain('not valid UTF-8');
      expect(body.errors).toEqual([{ pointer: '/prompt', detail: 'is not valid UTF-8' }]);
    }
    await expectNothingLeft();
  });

  it('is refused if its name is not valid UTF-8', async () => {
    const [before = '', after = ''] = formOf(['; name="metadata[?]"', 'x']).toString().split('?');
    const body = Buffer.concat([Buffer.from(before), Buffer.from([0xff]), Buffer.from(after)]);
    const response = await post('/images', body);
    expect([response.status, response.body.code]).toEqual([400, 'invalid_request']);
  });

  it('keeps characters of every length, and a replacement character that the caller sent', async () => {
    const prompt = 'f\u00e9 \u6c34 \u{1f98a} \ufffd';
    const files: Part = ['; name="image"; filename="a.png"', png];
    const { body } = await post('/images', formOf(files, ['; name="prompt"', prompt])).expect(202);
    await service.acme.ended(body.id);
    expect(body.request.prompt).toBe(prompt);
    expect(Object.fromEntries(provider.requests.splice(0)[0]?.fields ?? [])).toMatchObject({ prompt });
  });

  it('is refused if the form has too many of them', async () => {
    const texts = Array.from({ length: 65 }, (_, i): Part => [`; name="metadata[k${i}]"`, 'x']);
    const { status, body } = await post('/images', formOf(...texts));
    expect([status, body.detail]).toEqual([422, 'The form has more than 64 texts.']);
  });

  it.each(['/images', '/v1/images/edits'])(
    'in place of a file is refused at %s with the remedy, also if it occurs twice',
    async (path) => {
      const twice: Part[] = [
        ['; name="image[]"', 'a.png'],
        ['; name="image[]"', 'b.png'],
      ];
      const { status, body } = await post(path, formOf(...twice));
      expect(status).toBe(refusalOf(path));
      expect(body.errors[0].detail).toBe("must be a file. With curl: -F 'image[]=@photo.png'");
    },
  );

  it('of an unknown name is refused by an escaped pointer', async () => {
    const { body } = await post('/uploads', formOf(['; name="a/b~c"', 'x']));
    expect(body.errors).toContainEqual({ pointer: '/a~1b~0c', detail: 'is not a known field' });
  });
});

describe('a body of another type', () => {
  it.each(['/images', '/v1/images/edits'])(
    'is refused at %s with the types that the route takes',
    async (path) => {
      for (const type of ['multipart/mixed; boundary=b', 'application/jsonx', 'text/plain']) {
        const { status, body } = await post(path, formOf(), type);
        expect([status, body.detail]).toEqual([
          415,
          'Send the body with `Content-Type: application/json` or `multipart/form-data`.',
        ]);
      }
    },
  );

  it('is a file of POST /uploads, also if its name begins with application/json', async () => {
    await post('/uploads', png, 'application/jsonx').expect(201);
  });

  it('is refused at POST /uploads without a word about JSON if the type is malformed', async () => {
    const { status, body } = await post('/uploads', png, 'image');
    expect(status).toBe(415);
    expect(JSON.stringify(body)).not.toMatch(/json\W/i);
  });
});

describe('a form that ends early', () => {
  it.each(paths)(
    'is refused at %s with that reason if only this side of the connection ends',
    async (path) => {
      const connection = await openRaw(Number(new URL(service.url).port));
      const head = [
        `POST ${path} HTTP/1.1`,
        'host: 127.0.0.1',
        `authorization: Bearer ${testKeys.acme}`,
        `content-type: ${formType}`,
        'content-length: 1000',
      ];
      connection.socket.end(
        `${head.join('\r\n')}\r\n\r\n--b\r\ncontent-disposition: form-data; name="a"\r\n\r\n`,
      );
      await connection.gone;
      const response = readResponse(connection.received(), { ended: true, isHead: false });
      expect(response?.status).toBe(400);
      expect(JSON.parse(String(response?.body)).detail).toBe('The body ends early. Send the whole body.');
    },
  );
});
