import { describe, expect, it } from 'vitest';
import { noiseImage } from '../support/images.ts';
import { asImage, linkedImage, linkUsage, paidOnce, runLinked, unusableLink } from '../support/linked-job.ts';
import { type Script, serve } from '../support/scripted-server.ts';

describe('a model that sends links', () => {
  it('stores the image behind a link to the server of the provider, with its usage, after one call', async () => {
    const { made, summary } = await runLinked((address) => `${address}/files/1.png`);
    expect(summary).toMatchObject(paidOnce);
    expect([...made.stored.values()].map((bytes) => bytes.equals(linkedImage))).toEqual([true]);
    expect(made.job()).toMatchObject({ usage: { output_tokens: 196 }, revisedPrompt: 'A cat' });
  });

  it('stores the image although the response repeats texts of its own and holds further entries', async () => {
    const { made, summary } = await runLinked((address) => `${address}/1.png`, {
      bodyOf: (url) => ({
        note: 'the bytes of the linked image',
        data: [
          { url: 'about:blank', revised_prompt: 'Another' },
          { url, revised_prompt: 'the bytes of the linked image' },
        ],
        usage: linkUsage,
      }),
    });
    expect(summary).toMatchObject(paidOnce);
    expect(made.job()).toMatchObject({ revisedPrompt: 'the bytes of the linked image' });
  });

  it('stores the image after one call although previews were requested, which it is not asked for', async () => {
    const { made, fetches, posted, summary } = await runLinked((address) => `${address}/1.png`, {
      request: { partial_images: 2 },
    });
    expect(summary).toMatchObject(paidOnce);
    expect(fetches).toBe(1);
    expect([...made.stored.values()].map((bytes) => bytes.equals(linkedImage))).toEqual([true]);
    expect(posted).not.toHaveProperty('stream');
    expect(posted).not.toHaveProperty('partial_images');
  });

  it('stores the image behind a link to another server through the guard, without credentials', async () => {
    const other = await serve(asImage);
    const { made, summary } = await runLinked(() => `${new URL(other.url).origin}/1.png`, {
      allowPrivate: true,
    });
    expect(summary).toMatchObject(paidOnce);
    expect([...made.stored.values()].map((bytes) => bytes.equals(linkedImage))).toEqual([true]);
    expect(other.seen).toHaveLength(1);
    expect(other.seen[0]?.headers).not.toHaveProperty('authorization');
  });

  it('ends the job after one call if the guard refuses the link, and names only its host', async () => {
    const other = await serve(asImage);
    const { host } = new URL(other.url);
    const { made, summary } = await runLinked(() => `http://${host}/secret-token.png`);
    expect(summary).toEqual(unusableLink);
    expect(made.job().errors?.[0]?.message).toContain(host);
    expect(made.job().errors?.[0]?.message).not.toContain('secret-token');
    expect(other.seen).toHaveLength(0);
  });

  it('follows no redirect of a link', async () => {
    const { summary } = await runLinked((address) => `${address}/1.png`, {
      image: (response) => response.writeHead(302, { location: '/2.png' }).end(),
    });
    expect(summary).toEqual(unusableLink);
  });

  it('ends the job after one call if the link does not respond before the deadline of the call', async () => {
    const { summary } = await runLinked((address) => `${address}/1.png`, {
      image: () => undefined,
      model: { call_timeout_s: 1 },
    });
    expect(summary).toEqual(unusableLink);
  });

  it('pays once although the link hangs until the deadline, also if another call is allowed', async () => {
    const { summary } = await runLinked((address) => `${address}/1.png`, {
      image: () => undefined,
      model: { call_timeout_s: 1 },
      onUncertain: 'retry',
    });
    expect(summary).toEqual(unusableLink);
  });

  it.each([64, 256])('stores an image of %d pixels that came without a link', async (edge) => {
    const image = await noiseImage(edge, edge);
    const { fetches, made, summary } = await runLinked(() => '', {
      bodyOf: () => ({ data: [{ b64_json: image.toString('base64') }], usage: linkUsage }),
    });
    expect(summary).toMatchObject(paidOnce);
    expect([...made.stored.values()].map((bytes) => bytes.equals(image))).toEqual([true]);
    expect(fetches).toBe(0);
  });
});

describe('a link that does not lead to an image at first', () => {
  const transfers: readonly [string, Script][] = [
    [
      'breaks off before its length',
      (response) => {
        response.writeHead(200, { 'content-length': String(linkedImage.length) });
        response.write(linkedImage.subarray(0, 100), () => response.destroy());
      },
    ],
    [
      'breaks off without a length',
      (response) => response.write(linkedImage.subarray(0, 100), () => response.destroy()),
    ],
    ['ends well with a part of the image', (response) => response.end(linkedImage.subarray(0, -20))],
    ['is empty', (response) => response.end()],
    ['is a page of a proxy', (response) => response.end('<html>maintenance</html>')],
    ['is refused', (response) => response.writeHead(503).end()],
  ];

  it.each(transfers)(
    'fetches a link again if a transfer %s, because only the call is charged',
    async (_name, fails) => {
      let tries = 0;
      const { fetches, summary } = await runLinked((address) => `${address}/1.png`, {
        image(response, request, index) {
          tries += 1;
          (tries > 1 ? asImage : fails)(response, request, index);
        },
      });
      expect(summary).toMatchObject(paidOnce);
      expect(fetches).toBe(2);
    },
  );

  it.each(transfers)(
    'ends the job after one call and three fetches if each transfer %s',
    async (_name, fails) => {
      const { fetches, summary } = await runLinked((address) => `${address}/1.png`, { image: fails });
      expect(summary).toEqual(unusableLink);
      expect(fetches).toBe(3);
    },
  );

  it.each(['https://', 'https://exa mple/x y.png', 'http://:80/1.png'])(
    'ends the job after one call if the link is no address: %s',
    async (link) => {
      const { fetches, made, summary } = await runLinked(() => link);
      expect(summary).toEqual(unusableLink);
      expect(made.job().errors?.[0]?.message).toContain('not a valid address');
      expect(fetches).toBe(0);
    },
  );
});
