import { describe, expect, it } from 'vitest';
import { CatalogueModel } from '../../../../src/domain/catalogue-file.ts';
import { createCatalogue } from '../../../../src/domain/model-catalogue.ts';
import { createLifecycleHeaders } from '../../../../src/inbound/http/model-lifecycle.ts';

const shutdown = Date.parse('2026-12-01T00:00:00Z');
const model = (id: string, more: object) => CatalogueModel.parse({ id, status: 'current', ...more });
const catalogue = createCatalogue({
  price_version: 'test',
  text_models: {},
  models: [
    model('current', {}),
    model('ending', {
      status: 'deprecated',
      deprecated_at: '2026-06-02',
      shutdown_at: '2026-12-01',
      aliases: ['ending-2025-12-16'],
    }),
    model('ending-some-day', { status: 'deprecated' }),
  ],
});
const headersOn = (nowMs: number) => createLifecycleHeaders({ catalogue, clock: () => nowMs });

describe('headers of a model near its end', () => {
  it('name the notice as Unix seconds and the shutdown as an HTTP date, also for an alias', () => {
    const headers = { deprecation: '@1780358400', sunset: 'Tue, 01 Dec 2026 00:00:00 GMT' };
    expect(headersOn(shutdown - 1)('ending')).toEqual(headers);
    expect(headersOn(shutdown - 1)('ending-2025-12-16')).toEqual(headers);
  });

  it.each([
    ['a current model', 'current', shutdown - 1],
    ['a model without known dates', 'ending-some-day', shutdown - 1],
    ['a model that was shut down', 'ending', shutdown],
    ['a model outside the catalogue', 'unknown', shutdown - 1],
    ['an erased request', undefined, shutdown - 1],
  ])('are absent for %s', (_, name, nowMs) => {
    expect(headersOn(nowMs)(name)).toEqual({});
  });
});
