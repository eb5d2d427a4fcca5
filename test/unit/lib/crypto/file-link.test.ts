import { describe, expect, it } from 'vitest';
import { createFileLinks } from '../../../../src/lib/crypto/file-link.ts';

const links = createFileLinks(Buffer.alloc(32, 7));
const expiresAtMs = Date.UTC(2026, 0, 2, 3, 4, 5);
const link = {
  key: 'acme/img_1/0.png',
  expiresAtMs,
  contentType: 'image/png',
  fileName: 'a red bôat & "co".png',
};

function parsed(path: string) {
  const url = new URL(path, 'http://darkroom.test');
  return { key: url.pathname.replace('/files/', ''), query: Object.fromEntries(url.searchParams) };
}

describe('file links', () => {
  it('verifies a new link and returns the values that were signed', () => {
    const path = links.sign(link);
    expect(path.startsWith('/files/acme/img_1/0.png?')).toBe(true);
    expect(links.verify(parsed(path), expiresAtMs - 1)).toEqual({
      contentType: link.contentType,
      fileName: link.fileName,
      expiresAtMs,
    });
  });

  it('accepts a link until its expiry second and not later', () => {
    const request = parsed(links.sign({ ...link, expiresAtMs: expiresAtMs + 999 }));
    expect(links.verify(request, expiresAtMs - 1)).not.toBeNull();
    expect(links.verify(request, expiresAtMs)).toBeNull();
  });

  it.each([
    ['key', { key: 'acme/img_2/0.png' }],
    ['expiry', { query: { expires: String(expiresAtMs / 1000 + 1) } }],
    ['expiry in another spelling', { query: { expires: `0${expiresAtMs / 1000}` } }],
    ['content type', { query: { type: 'text/html' } }],
    ['file name', { query: { name: 'evil.html' } }],
    ['signature', { query: { signature: 'A'.repeat(43) } }],
    ['empty signature', { query: { signature: '' } }],
  ])('refuses a link with an altered %s', (_what, change: { key?: string; query?: object }) => {
    const { key, query } = parsed(links.sign(link));
    const altered = { key: change.key ?? key, query: { ...query, ...change.query } };
    expect(links.verify({ key, query }, 0)).not.toBeNull();
    expect(links.verify(altered, 0)).toBeNull();
  });

  it('refuses every other spelling of a signature', () => {
    const { key, query } = parsed(links.sign(link));
    const signature = query.signature ?? '';
    const others = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_']
      .map((last) => signature.slice(0, -1) + last)
      .concat(`${signature}=`)
      .filter((other) => other !== signature);
    const accepted = others.filter(
      (other) => links.verify({ key, query: { ...query, signature: other } }, 0) !== null,
    );
    expect(others).toHaveLength(64);
    expect(accepted).toEqual([]);
  });

  it.each(['expires', 'type', 'name', 'signature'])(
    'refuses a link with a missing or repeated %s',
    (name) => {
      const { key, query } = parsed(links.sign(link));
      const { [name]: value, ...others } = query;
      expect(links.verify({ key, query: others }, 0)).toBeNull();
      expect(links.verify({ key, query: { ...query, [name]: [value, value] } }, 0)).toBeNull();
    },
  );

  it('refuses a link with text moved from one part to the next', () => {
    const one = links.sign({ ...link, contentType: 'ab', fileName: 'c' });
    const two = links.sign({ ...link, contentType: 'a', fileName: 'bc' });
    expect(parsed(one).query.signature).not.toBe(parsed(two).query.signature);
  });

  it('refuses a link that was signed with another key', () => {
    expect(createFileLinks(Buffer.alloc(32, 8)).verify(parsed(links.sign(link)), 0)).toBeNull();
  });

  it('refuses a signing key that is too short', () => {
    expect(() => createFileLinks(Buffer.alloc(31))).toThrow(RangeError);
  });
});
