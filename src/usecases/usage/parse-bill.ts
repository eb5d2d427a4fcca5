import { z } from 'zod';
import type { BilledEntry } from '../../domain/bill.ts';
import { parseCsv } from '../../lib/csv.ts';

/** A bucket of the costs or usage API of OpenAI. */
const Page = z.looseObject({
  data: z.array(
    z.looseObject({
      start_time: z.number(),
      end_time: z.number(),
      results: z.array(
        z.looseObject({
          amount: z.looseObject({ value: z.coerce.number(), currency: z.string().nullish() }).nullish(),
          line_item: z.string().nullish(),
          model: z.string().nullish(),
          num_model_requests: z.number().nullish(),
        }),
      ),
    }),
  ),
});

/** Names of columns in exports of providers and gateways. */
const columns = {
  requestId: ['provider_request_id', 'request_id', 'id'],
  time: ['at', 'timestamp', 'time', 'created_at', 'created', 'date', 'start_time_iso'],
  end: ['end_time_iso'],
  model: ['model', 'line_item'],
  requests: ['num_model_requests', 'requests'],
  microUsd: ['micro_usd'],
  usd: ['amount_value', 'amount', 'cost', 'cost_usd', 'amount_usd', 'usd'],
  currency: ['amount_currency', 'currency'],
} as const;

const dayMs = 86_400_000;

/**
 * Reads an export: JSON pages of OpenAI's costs or usage API, their CSV from the dashboard, or a CSV with columns for the
 * request id, time, model and cost of each call, or of each day.
 *
 * @throws Error that names the row and the fault.
 */
export function parseBill(text: string): BilledEntry[] {
  const start = text.trimStart()[0];
  const isJson = start === '{' || start === '[';
  const entries = isJson ? parsePages(JSON.parse(text)) : parseRows(text);
  if (entries.length > 0) return entries;
  const found = isJson
    ? ''
    : ` Its columns: ${columnsOf(text)}. Expected, separated by commas or tabs: ${expected}.`;
  throw new Error(`The export has no row with an amount or a number of requests.${found}`);
}

const expected = 'request_id, timestamp, model, and micro_usd or cost_usd';

/** Returns the first line of an export, shortened. */
const columnsOf = (text: string): string =>
  text
    .replace(/^\uFEFF/, '')
    .split(/[\r\n]/)[0]
    ?.trim()
    .slice(0, 200) || 'none';

function parsePages(json: unknown): BilledEntry[] {
  const pages = z.union([Page.transform((page) => [page]), z.array(Page)]).safeParse(json);
  if (!pages.success) throw new Error('The JSON is no export of OpenAI costs or usage: it has no buckets.');
  const buckets = pages.data.flatMap(({ data }) => data);
  let row = 0;
  return buckets.flatMap(({ start_time, end_time, results }) =>
    results.flatMap(({ amount, line_item, model, num_model_requests }): BilledEntry[] => {
      row += 1;
      const bucket = { row, fromMs: start_time * 1000, toMs: end_time * 1000 };
      if (amount) {
        checkCurrency(amount.currency ?? '', row);
        return [
          {
            ...{ kind: 'sum' as const, ...bucket, model: modelOf(line_item ?? '') },
            microUsd: checkAmount(microUsdOf(amount.value), row),
          },
        ];
      }
      if (num_model_requests == null) return [];
      return [{ kind: 'count', ...bucket, model: model ?? null, requests: num_model_requests }];
    }),
  );
}

function parseRows(text: string): BilledEntry[] {
  return parseCsv(text).flatMap((cells, i): BilledEntry[] => {
    const row = i + 2;
    const cell = (names: readonly string[]) => names.map((name) => cells[name]).find((value) => value) ?? '';
    checkCurrency(cell(columns.currency), row);
    const amount = amountOf(cell(columns.microUsd), cell(columns.usd), row);
    const requests = cell(columns.requests);
    if (amount === null && requests === '') return [];
    const requestId = cell(columns.requestId) || null;
    const time = cell(columns.time);
    const atMs = time === '' ? null : timeOf(time, row);
    const model = modelOf(cell(columns.model));
    if (requestId !== null && amount !== null)
      return [{ kind: 'call', row, requestId, model, microUsd: amount, atMs }];
    if (atMs === null) throw new Error(`Row ${row} has neither a request id nor a time.`);
    const end = cell(columns.end);
    if (amount !== null && end === '' && atMs % dayMs !== 0) {
      return [{ kind: 'call', row, requestId, model, microUsd: amount, atMs }];
    }
    const bucket = { row, fromMs: atMs, toMs: end === '' ? atMs + dayMs : timeOf(end, row), model };
    if (amount !== null) return [{ kind: 'sum', ...bucket, microUsd: amount }];
    return [{ kind: 'count', ...bucket, requests: countOf(requests, row) }];
  });
}

/** Returns the model in a line item such as `gpt-image-2, image output`. */
const modelOf = (lineItem: string): string | null => lineItem.split(',')[0]?.trim() || null;

/** Returns micro-USD with at most three decimals, which removes the error of binary fractions. */
const microUsdOf = (usd: number): number => Math.round(usd * 1e9) / 1e3;

function amountOf(microUsd: string, usd: string, row: number): number | null {
  if (microUsd === '' && usd === '') return null;
  return checkAmount(microUsd === '' ? microUsdOf(Number(usd.replace(/^\$/, ''))) : Number(microUsd), row);
}

/** Returns an amount. A credit is no charge of a call, and would hide one. */
function checkAmount(microUsd: number, row: number): number {
  if (!Number.isFinite(microUsd)) throw new Error(`Row ${row} has no valid amount.`);
  if (microUsd < 0) throw new Error(`Row ${row} has a negative amount. Remove credits from the export.`);
  return microUsd;
}

function countOf(text: string, row: number): number {
  if (!/^\d{1,15}$/.test(text)) throw new Error(`Row ${row} has no valid number of requests.`);
  return Number(text);
}

function timeOf(text: string, row: number): number {
  const isSeconds = /^\d{9,11}$/.test(text);
  // A time without a zone is UTC.
  const zoned = hasZone(text) || /^\d{4}-\d\d-\d\d$/.test(text) ? text : `${text.replace(' ', 'T')}Z`;
  const ms = isSeconds ? Number(text) * 1000 : Date.parse(zoned);
  if (Number.isNaN(ms)) throw new Error(`Row ${row} has no valid time: ${text.slice(0, 40)}.`);
  return ms;
}

/** Whether a time ends with a zone, which follows a time of day: `-2026` at the end of `11-30-2026` is a year. */
function hasZone(text: string): boolean {
  const zone = /(?:Z|[+-]\d\d:?\d\d)$/.exec(text);
  return zone !== null && text.slice(0, zone.index).includes(':');
}

function checkCurrency(currency: string, row: number): void {
  if (currency === '' || currency.toLowerCase() === 'usd') return;
  throw new Error(`Row ${row} is in ${currency.slice(0, 10)}. Only USD can be compared.`);
}
