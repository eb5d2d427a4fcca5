import { describe, expect, it } from 'vitest';
import { modelMap, origins } from '../../../src/config/values.ts';

describe('CORS_ORIGINS', () => {
  it('accepts origins as browsers send them, and normalizes slashes, case and default ports', () => {
    expect(
      origins.parse('https://App.example/,http://localhost:5173,https://a.example:443,tauri://localhost'),
    ).toEqual(['https://app.example', 'http://localhost:5173', 'https://a.example', 'tauri://localhost']);
  });

  it.each([
    'bad value',
    '*',
    'https://*.example',
    'https://a.example/path',
    'app.example',
    'null',
    'https://u:p@a',
  ])('refuses %s, which no browser sends as an origin that may call', (entry) => {
    expect(origins.safeParse(`https://a.example,${entry}`).error?.issues).toMatchObject([
      { message: expect.stringContaining(`${entry} must be an origin`) },
    ]);
  });
});

describe('V1_MODEL_MAP', () => {
  it('refuses a name with two models, because only one of them could be used', () => {
    expect(modelMap.safeParse('a=b,c=d,a=c').error?.issues).toMatchObject([{ message: 'a has two models' }]);
  });
});
