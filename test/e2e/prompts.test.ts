import { beforeAll, describe, expect, it } from 'vitest';
import { startService, type TestService } from '../support/service.ts';
import { imageCalls, textCalls } from '../support/service-environment.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService();
  return service.close;
});

/** Returns the prompts that reached the provider for a job, identified by the request id of the calls. */
function promptsOf(id: string): (string | null)[] {
  return service.studio.calls
    .filter(
      (call) => call.path.endsWith('/images/generations') && call.headers.clientRequestId?.startsWith(id),
    )
    .map((call) => call.prompt);
}

describe('a prompt', () => {
  it.each([
    ['Chinese', '生成一幅美女的照片，背景是雨中的外滩'],
    ['Arabic, from right to left', 'امرأة تقرأ كتابًا تحت شجرة زيتون عند الغروب'],
    ['Hebrew with vowel points', 'שָׁלוֹם עַל הָעוֹלָם'],
    ['emoji joined to families and flags', 'A picnic 👨‍👩‍👧‍👦 🏳️‍🌈 👩🏽‍🚀 🇯🇵 at noon'],
    ['characters outside the first plane', '𠮷野家の看板 𝔘𝔫𝔦𝔠𝔬𝔡𝔢'],
    ['combining marks, not composed', 'Cafe\u0301 am Ufer, A\u030angstro\u0308m'],
    ['direction marks', 'Sign: \u202Eabc\u202C and \u2067שלום\u2069 end'],
    ['line breaks, tabs and outer spaces', '  First line\r\n\tsecond line\n\nlast  '],
    ['quotes, backslashes and markup', 'He said "\\n" & <b>bold</b> {{prompt}} $(x) %s'],
  ])('a prompt in %s reaches the provider unchanged', async (_what, prompt) => {
    const job = await service.acme.generate({ prompt });
    expect(promptsOf(job.id)).toEqual([prompt]);
    expect(job.prompt).toEqual({ original: prompt, enhanced: null, revised: null });
    expect(job.request.prompt).toBe(prompt);
  });

  it('a prompt of 32,000 characters outside the first plane is accepted, and one more is refused', async () => {
    const long = '𝛼'.repeat(32_000);
    const job = await service.acme.generate({ prompt: long });
    expect(promptsOf(job.id)).toEqual([long]);
    const { body } = await service.acme
      .post('/images')
      .send({ prompt: `${long}𝛼` })
      .expect(422);
    expect(body.errors).toEqual([expect.objectContaining({ pointer: '/prompt' })]);
  });

  it('a prompt of 32,000 escaped emoji is accepted with every other field at its maximum', async () => {
    const keys = Array.from({ length: 16 }, (_, no) => String.fromCodePoint(0x1f600 + no).repeat(64));
    const request = {
      prompt: '😀'.repeat(32_000),
      metadata: Object.fromEntries(keys.map((key) => [key, '😀'.repeat(512)])),
      safety_identifier: '😀'.repeat(128),
      webhook: { url: 'https://receiver.example/'.padEnd(2048, 'a') },
      provider_options: { note: 'n'.repeat(8 * 1024 - '{"note":""}'.length) },
    };
    const escaped = JSON.stringify(request).replace(
      /[^"{}[\]:,]/g,
      (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
    const { body } = await service.acme
      .post('/images?dry_run=true')
      .set('content-type', 'application/json')
      .send(escaped)
      .expect(200);
    expect(body.request).toMatchObject(request);
  });

  it.each([
    ['a lone high surrogate', '"half \\ud83d emoji"'],
    ['a lone low surrogate', '"half \\ude00 emoji"'],
    ['NUL', '"cut \\u0000 here"'],
    ['nothing', '""'],
    ['nothing but spaces, line breaks and invisible characters', '" \\u3000\\n\\t\\u200b\\ufeff"'],
  ])('a prompt of %s is refused with a pointer', async (_what, json) => {
    const { body } = await service.acme
      .post('/images')
      .set('content-type', 'application/json')
      .send(`{"prompt":${json}}`)
      .expect(422);
    expect(body).toMatchObject({ code: 'validation_failed', errors: [{ pointer: '/prompt' }] });
  });

  it('a body that is not valid UTF-8 is refused with 400', async () => {
    const broken = Buffer.concat([Buffer.from('{"prompt":"caf'), Buffer.from([0xe9]), Buffer.from('"}')]);
    const response = await fetch(`${service.url}/images`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${service.env.API_KEYS?.split(',')[0]?.split(':')[1]}`,
        'content-type': 'application/json',
      },
      body: broken,
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 'invalid_json' });
  });
});

describe('an enhanced prompt', () => {
  it('enhancing 生成一幅美女的照片 writes a detailed description in Chinese of the same subject', async () => {
    const prompt = '生成一幅美女的照片';
    const job = await service.acme.generate({ prompt, enhance: 'always' });
    const [sent = '', ...more] = promptsOf(job.id);

    expect(more).toEqual([]);
    expect(sent).toContain('美女');
    expect([...(sent ?? '')].length).toBeGreaterThan(60);
    const letters = [...(sent ?? '')].filter((character) => /\p{L}/u.test(character));
    expect(letters.filter((character) => /\p{Script=Han}/u.test(character)).length).toBeGreaterThan(
      letters.length * 0.9,
    );
    expect(job.prompt).toEqual({ original: prompt, enhanced: sent, revised: null });
    expect(job.warnings).toEqual([]);
    expect(job.attempts.map(({ kind, state }) => [kind, state])).toEqual([
      ['enhance', 'stored'],
      ['generate', 'stored'],
    ]);
    expect(job.cost).toMatchObject({ billing: 'charged', estimated: false });
  });

  it('enhancement preserves quoted text letter for letter', async () => {
    const job = await service.acme.generate({
      prompt: 'A shop sign that says "Zum Löwen №5"',
      enhance: 'always',
    });
    expect(promptsOf(job.id)[0]).toContain('Zum Löwen №5');
  });

  it('a failed enhancement is attempted once and leaves the original prompt with a warning', async () => {
    const prompt = 'A plain request [studio:enhance-error=500]';
    const job = await service.acme.generate({ prompt, enhance: 'always' });

    expect(job.status).toBe('succeeded');
    expect(promptsOf(job.id)).toEqual([prompt]);
    expect(job.prompt.enhanced).toBeNull();
    expect(job.warnings).toEqual([expect.stringMatching(/not enhanced \(\w+\)\. Calls for images use/)]);
    expect(textCalls(service.studio, 'A plain request')).toHaveLength(1);
  });

  it('enhance: auto applies to short prompts only, and off to none', async () => {
    const long = await service.acme.generate({
      prompt: `Long enough ${'and longer '.repeat(20)}`,
      enhance: 'auto',
    });
    const short = await service.acme.generate({ prompt: 'Short and sweet', enhance: 'auto' });
    const off = await service.acme.generate({ prompt: 'Short and plain' });

    expect([long, short, off].map((job) => job.prompt.enhanced !== null)).toEqual([false, true, false]);
  });

  it('three images share one enhancement call', async () => {
    const job = await service.acme.generate({ prompt: 'Three times one idea', enhance: 'always', n: 3 });
    expect(textCalls(service.studio, 'Three times one idea')).toHaveLength(1);
    expect(new Set(promptsOf(job.id)).size).toBe(1);
    expect(promptsOf(job.id)).toHaveLength(3);
  });
});

describe('a preset', () => {
  it('a preset wraps the prompt with its variables and sets missing parameters', async () => {
    const job = await service.acme.generate({
      prompt: 'A red fox',
      preset: { name: 'avatar', variables: { style: 'pixel art', palette: '青と金' } },
      quality: 'low',
    });
    const [sent] = promptsOf(job.id);

    expect(sent).toMatch(/^A red fox\n/);
    expect(sent).toContain('pixel art');
    expect(sent).toContain('青と金');
    expect(sent).not.toContain('{{');
    expect(job.prompt.original).toBe('A red fox');
    expect(job.request).toMatchObject({ size: '1024x1024', background: 'opaque', quality: 'low' });
    expect(imageCalls(service.studio, 'A red fox')[0]?.parameters).toMatchObject({ quality: 'low' });
  });

  it('a preset wraps the enhanced prompt', async () => {
    const job = await service.acme.generate({
      prompt: 'A badger',
      preset: 'game-character',
      enhance: 'always',
    });
    expect(promptsOf(job.id)[0]).toContain(job.prompt.enhanced ?? 'no description');
  });

  it.each([
    ['that does not exist', 'portrait', '/preset'],
    ['with an unknown variable', { name: 'avatar', variables: { color: 'red' } }, '/preset/variables/color'],
    [
      'with a value not allowed',
      { name: 'avatar', variables: { framing: 'feet' } },
      '/preset/variables/framing',
    ],
    [
      'with a value too long',
      { name: 'avatar', variables: { style: 's'.repeat(200) } },
      '/preset/variables/style',
    ],
  ])('a preset %s is refused with a pointer', async (_what, preset, pointer) => {
    const { body } = await service.acme.post('/images').send({ prompt: 'A fox', preset }).expect(422);
    expect(body.errors).toEqual([expect.objectContaining({ pointer })]);
  });
});
