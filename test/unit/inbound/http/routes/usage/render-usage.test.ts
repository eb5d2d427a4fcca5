import { describe, expect, it } from 'vitest';
import { emptySums, type UsageGroup } from '../../../../../../src/domain/usage.ts';
import { createRenderUsage } from '../../../../../../src/inbound/http/routes/usage/render-usage.ts';
import { UsageRow } from '../../../../../../src/inbound/http/schemas/usage.ts';

const grouping = { dimensions: new Set(['day', 'key'] as const), metadataKeys: ['team'] };
const groupOf = (day: number, keyId: string | null, jobs: number): UsageGroup => ({
  ...{ day, keyId, metadata: { team: null } },
  sums: { ...emptySums(), jobs },
});
const first = [groupOf(0, 'key_1', 1), groupOf(0, null, 2)];
const third = [groupOf(2, '=key', 3)];

describe('a report of usage', () => {
  it('has the rows of all days in JSON, each with its fields in the sequence of the schema', () => {
    const render = createRenderUsage();
    const { contentType, body } = render('json', { parts: [first, [], third], grouping });
    expect(contentType).toBe('application/json; charset=utf-8');
    const { object, data } = JSON.parse(body.toString()) as { object: string; data: UsageRow[] };
    expect(object).toBe('list');
    expect(data.map(({ day, key_id, jobs }) => [day, key_id, jobs])).toEqual([
      ['1970-01-01', 'key_1', 1],
      ['1970-01-01', null, 2],
      ['1970-01-03', '=key', 3],
    ]);
    for (const row of data) expect(Object.keys(row)).toEqual(Object.keys(UsageRow.parse(row)));
  });

  it('is an empty list without usage', () => {
    const { body } = createRenderUsage()('json', { parts: [[]], grouping });
    expect(body.toString()).toBe('{"object":"list","data":[]}');
  });

  it('has one header line and the rows of all days in CSV, without formulas', () => {
    const { body } = createRenderUsage()('csv', { parts: [first, third], grouping });
    const [head, ...lines] = body.toString().split('\r\n');
    expect(head?.startsWith('day,key_id,metadata.team,jobs,')).toBe(true);
    expect(lines.map((line) => line.split(',').slice(0, 4))).toEqual([
      ['1970-01-01', 'key_1', '', '1'],
      ['1970-01-01', '', '', '2'],
      ['1970-01-03', "'=key", '', '3'],
      [''],
    ]);
  });

  it('reads the groups of an unchanged list once for each format', () => {
    let reads = 0;
    const counted = new Proxy(first, {
      get(target, name, receiver) {
        if (name === 'map') reads += 1;
        return Reflect.get(target, name, receiver);
      },
    });
    const render = createRenderUsage();
    const bodies = [1, 2, 3].map(() => render('json', { parts: [counted], grouping }).body.toString());
    expect(new Set(bodies).size).toBe(1);
    expect(reads).toBe(1);
    render('csv', { parts: [counted], grouping });
    expect(reads).toBe(2);
  });
});
