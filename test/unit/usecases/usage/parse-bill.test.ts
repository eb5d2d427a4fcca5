import { describe, expect, it, vi } from 'vitest';
import { parseBill } from '../../../../src/usecases/usage/parse-bill.ts';

const start = Date.UTC(2026, 10, 23);
const bucket = { fromMs: start, toMs: start + 86_400_000 };
const seconds = start / 1000;
const costsOf = (value: number): string =>
  JSON.stringify({
    data: [
      { start_time: seconds, end_time: seconds + 86_400, results: [{ amount: { value, currency: 'usd' } }] },
    ],
  });

describe('an export of a provider', () => {
  it('is read from the JSON of the costs API, several pages included', () => {
    const page = (value: number | string, line_item: string | null) => ({
      object: 'page',
      data: [
        {
          object: 'bucket',
          start_time: seconds,
          end_time: seconds + 86_400,
          results: [{ object: 'organization.costs.result', amount: { value, currency: 'usd' }, line_item }],
        },
      ],
    });
    const pages = [page(0.428245, 'gpt-image-2, image output'), page('0.011090000000000001', null)];
    expect(parseBill(JSON.stringify(pages))).toEqual([
      { kind: 'sum', row: 1, ...bucket, model: 'gpt-image-2', microUsd: 428_245 },
      { kind: 'sum', row: 2, ...bucket, model: null, microUsd: 11_090 },
    ]);
  });

  it('is read from the CSV of the costs page, without its empty days', () => {
    const csv = [
      'start_time,end_time,start_time_iso,end_time_iso,amount_value,amount_currency,line_item,project_id,organization_id,organization_name',
      `${seconds},${seconds + 86_400},2026-11-23T00:00:00+00:00,2026-11-24T00:00:00+00:00,0.34090000000000000,usd,"gpt-image-2, text input",,org-1,"A ""B"", C"`,
      `${seconds},${seconds + 86_400},2026-11-24T00:00:00+00:00,2026-11-25T00:00:00+00:00,,,,,,`,
    ].join('\r\n');
    expect(parseBill(csv)).toEqual([
      { kind: 'sum', row: 2, ...bucket, model: 'gpt-image-2', microUsd: 340_900 },
    ]);
  });

  it('is read from the JSON and the CSV of the usage pages as numbers of requests', () => {
    const results = [
      { object: 'organization.usage.images.result', num_model_requests: 3, model: 'gpt-image-2' },
    ];
    const json = { data: [{ start_time: seconds, end_time: seconds + 86_400, results }] };
    const csv = `start_time_iso\tend_time_iso\tnum_model_requests\tmodel\n2026-11-23T00:00:00+00:00\t2026-11-24T00:00:00+00:00\t3\tgpt-image-2\n`;
    const count = { kind: 'count', ...bucket, model: 'gpt-image-2', requests: 3 };
    expect(parseBill(JSON.stringify(json))).toEqual([{ ...count, row: 1 }]);
    expect(parseBill(csv)).toEqual([{ ...count, row: 2 }]);
  });

  it('is read from a CSV with a row for each call', () => {
    const csv = '\uFEFFrequest_id,timestamp,model,cost_usd\nreq_1,2026-11-23 10:30:45,gpt-image-2,$0.00597\n';
    expect(parseBill(csv)).toEqual([
      {
        kind: 'call',
        row: 2,
        requestId: 'req_1',
        model: 'gpt-image-2',
        microUsd: 5_970,
        atMs: Date.UTC(2026, 10, 23, 10, 30, 45),
      },
    ]);
  });

  it.each([
    ['an empty file', ''],
    ['a file without amounts', 'a,b\n1,2\n'],
    ['another currency', 'request_id,amount,currency\nr,1,eur\n'],
    ['a negative amount', 'request_id,amount\nr,-1\n'],
    ['a negative amount in JSON', costsOf(-1)],
    ['an amount that is no number', 'request_id,amount\nr,1.2.3\n'],
    ['a time that is none', 'request_id,amount,time\nr,1,yesterday\n'],
    ['a number of requests that is none', 'date,num_model_requests\n2026-11-30,abc\n'],
    ['a row without time and id', 'model,amount\nm,1\n'],
    ['a stray quote', 'request_id,amount\n"r,1\n'],
    ['JSON of something else', '{"data":{}}'],
  ])('is refused if it is %s', (_name, text) => {
    expect(() => parseBill(text)).toThrow();
  });

  it('names its columns if none of them has an amount', () => {
    expect(() => parseBill('\uFEFFtime;price\n2026-11-30;1\n')).toThrow(
      'Its columns: time;price. Expected, separated by commas or tabs: request_id, timestamp, model, and micro_usd',
    );
  });
});

describe('a day of an export', () => {
  it.each(['2026-11-23', '11-23-2026', '11/23/2026', '2026/11/23', 'Nov 23, 2026'])(
    'written as %s is the UTC day, wherever the command runs',
    (text) => {
      for (const zone of ['UTC', 'America/New_York', 'Asia/Kathmandu', 'Pacific/Apia']) {
        vi.stubEnv('TZ', zone);
        expect(parseBill(`date\tcost_usd\n${text}\t0.42`)).toEqual([
          { kind: 'sum', row: 2, ...bucket, model: null, microUsd: 420_000 },
        ]);
      }
    },
  );
});
