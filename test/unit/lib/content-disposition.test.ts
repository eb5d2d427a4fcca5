import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contentDisposition } from '../../../src/lib/content-disposition.ts';

describe('contentDisposition', () => {
  it('quotes a plain file name', () => {
    expect(contentDisposition('img_1-0.png')).toBe('inline; filename="img_1-0.png"');
  });

  it('lets browsers save an SVG and not open it as a page that could run scripts', () => {
    expect(contentDisposition('img_1-0.svg')).toBe('attachment; filename="img_1-0.svg"');
  });

  it('adds a file name beyond ASCII in the encoding of RFC 8187', () => {
    expect(contentDisposition("bô't.png")).toBe(
      "inline; filename=\"b_'t.png\"; filename*=UTF-8''b%C3%B4%27t.png",
    );
  });

  it('prevents quotes, separators and line breaks from ending the file name or the header', () => {
    expect(contentDisposition('a"b\\c/d\r\nSet-Cookie: e')).toBe('inline; filename="a_b_c_d__Set-Cookie: e"');
  });

  it('creates one header value with one quoted file name from any name', () => {
    const harmless =
      /^(inline|attachment); filename="[^"\\/\r\n]*"(; filename\*=UTF-8''[A-Za-z0-9!#$&+.^_`|~%-]+)?$/;
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 0xffff })), (units) =>
        harmless.test(contentDisposition(String.fromCharCode(...units))),
      ),
    );
  });
});
