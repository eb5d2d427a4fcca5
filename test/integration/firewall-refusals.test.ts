import { describe, expect, it } from 'vitest';
import { outcomes, runAgainst } from '../support/provider-outcomes.ts';

/** Refusals of firewalls in front of a provider. A prompt that looks like an attack causes them, so they concern one job. */

const pages = [
  [
    'AWS',
    '<html>\r\n<head><title>403 Forbidden</title></head>\r\n<body>\r\n<center><h1>403 Forbidden</h1></center>',
  ],
  [
    'Cloudflare',
    '<!DOCTYPE html>\n<html class="no-js"><head><title>Attention Required! | Cloudflare</title></head>',
  ],
  ['Cloud Armor', '<!doctype html><meta charset="utf-8"><meta name=viewport><title>403</title>403 Forbidden'],
] as const;

describe('a page with status 403', () => {
  it.each(pages)('fails its job after one call, and blocks no other job (%s)', async (_name, page) => {
    const { made, summary } = await runAgainst(403, page, { 'content-type': 'text/html; charset=UTF-8' });
    expect(summary).toEqual(outcomes.rejected);
    expect(made.blocked.size).toBe(0);
    expect(made.job().errors?.[0]?.message).toMatch(/403.*firewall/);
  });

  it('blocks the account with status 401, which no prompt causes', async () => {
    const { made, summary } = await runAgainst(401, pages[0][1], { 'content-type': 'text/html' });
    expect(summary).toEqual(outcomes.key);
    expect(made.blocked.size).toBe(1);
  });
});
