import { createHash } from 'node:crypto';
import type { Charged } from './call-log.ts';

/**
 * Faults that a caller can request from the studio.
 *
 * In a prompt: `[studio:NAME]`, `[studio:NAME=VALUE]`, and with `,times=N` only for the first N calls with this prompt and
 * API key.
 * In the header `x-studio-fault`: the same without brackets, several joined by `;`.
 * Names with `input-` act on edits only.
 * Calls for text (chat, responses) obey only `enhance-NAME`, so that one prompt can fail its expansion and not its
 * image. Polls of a background response obey only `poll-NAME`.
 * `latency` and `slow-body` combine with the others. Of the others, the first one with remaining times acts. Unknown
 * names have no effect.
 */
export const FAULTS = {
  'rate-limit': { value: 'Retry-After in seconds (1)', does: '429 rate_limit_exceeded', charged: 'none' },
  'slow-down': { value: 'Retry-After in seconds (1)', does: '429 slow_down', charged: 'none' },
  quota: { value: null, does: '429 insufficient_quota, code credit_balance_exhausted', charged: 'none' },
  error: {
    value: 'status 400..599 (500)',
    does: 'that status; charged none for 4xx and 503',
    charged: 'possible',
  },
  overloaded: { value: null, does: '503 server_is_overloaded', charged: 'none' },
  moderation: { value: 'category (sexual)', does: '400 moderation_blocked', charged: 'none' },
  'bad-request': { value: null, does: '400 invalid_value', charged: 'none' },
  unauthorized: { value: null, does: '401 invalid_api_key', charged: 'none' },
  'hang-up': { value: null, does: 'closes the connection without a response', charged: 'charged' },
  'hang-up-mid': {
    value: null,
    does: 'closes the connection in the middle of the body, or after the first preview of a stream',
    charged: 'charged',
  },
  hang: { value: null, does: 'never responds', charged: 'charged' },
  'hang-mid': { value: null, does: 'a stream stops after its first preview', charged: 'charged' },
  'error-event': {
    value: 'error code (server_error)',
    does: 'a stream has an error event after its first preview',
    charged: 'possible',
  },
  'final-first': { value: null, does: 'a stream sends its previews after the image', charged: 'charged' },
  'no-final': { value: null, does: 'a stream ends without the image', charged: 'charged' },
  latency: { value: 'milliseconds (1000)', does: 'delays the response', charged: 'charged' },
  'slow-body': { value: 'milliseconds (1000)', does: 'spreads the body over that time', charged: 'charged' },
  empty: { value: null, does: '200 with an empty data list (an empty text)', charged: 'possible' },
  truncated: { value: null, does: '200, the base64 (the text) cut in half', charged: 'charged' },
  html: { value: null, does: '200 text/html', charged: 'possible' },
  'not-an-image': { value: null, does: '200, the base64 of plain text', charged: 'charged' },
  huge: { value: 'WxH (1x30000)', does: '200, a PNG of that size', charged: 'charged' },
  oversized: {
    value: 'megabytes (64)',
    does: '200, an image (a text) of that many megabytes, at most 256 for all images of a call',
    charged: 'charged',
  },
  'input-invalid': {
    value: 'number of the image (1)',
    does: '400 invalid_image_file for that input of an edit',
    charged: 'none',
  },
  'input-too-large': { value: null, does: '413 for the inputs of an edit', charged: 'none' },
  'input-hang-up': {
    value: null,
    does: 'closes the connection before the inputs of an edit have arrived; as JSON, after them',
    charged: 'none',
  },
} as const satisfies Record<string, { value: string | null; does: string; charged: Charged }>;

type FaultName = keyof typeof FAULTS;

export type Fault = {
  readonly name: FaultName;
  readonly value: string | null;
  /** Number of calls for which the fault acts. Null means all calls. */
  readonly times: number | null;
  /** The written text, without brackets. */
  readonly text: string;
};

const WORD = /\[studio:([^[\]]*)\]/g;
const PARTS = /^([a-z-]+)(?:=([^,]*))?(?:,\s*times=(\d+))?$/;
/** Prefixes of fault names, by the kind of call that obeys them. */
const PREFIXES = { image: '', edit: '', upload: '', text: 'enhance-', poll: 'poll-' } as const;
export type CallKind = keyof typeof PREFIXES;

/** Reads the faults of a prompt and of the fault header, in that order, for one kind of call. */
export function readFaults(kind: CallKind, prompt: string, header: string | null): Fault[] {
  const written = [...prompt.matchAll(WORD)].map(([, text = '']) => text);
  return [...written, ...(header ?? '').split(';')].flatMap((text) => parseFault(kind, text.trim()) ?? []);
}

function parseFault(kind: CallKind, text: string): Fault | null {
  const [, word = '', value, times] = PARTS.exec(text) ?? [];
  if (!word.startsWith(PREFIXES[kind])) return null;
  const name = word.slice(PREFIXES[kind].length);
  if (!isFaultName(name) || !obeys(kind, name)) return null;
  return { name, value: value || null, times: times === undefined ? null : Number(times), text };
}

/** An upload is the part of an edit during which its inputs arrive. */
function obeys(kind: CallKind, name: FaultName): boolean {
  if (name === 'input-hang-up') return kind === 'upload';
  return kind === 'edit' || (kind !== 'upload' && !name.startsWith('input-'));
}

const isFaultName = (name: string): name is FaultName => Object.hasOwn(FAULTS, name);

/** Returns the prompt without `[studio:...]` words. Images are drawn from it. */
export function withoutFaultWords(prompt: string): string {
  return prompt.replace(WORD, ' ').replace(/\s+/g, ' ').trim();
}

/** Returns the value of a fault as a number of at least zero, or `fallback` if it is not one. */
export function numberOf(fault: Fault, fallback: number): number {
  const value = Number(fault.value ?? Number.NaN);
  return Number.isFinite(value) && value >= 0 ? value : fallback;
}

/** The faults that act on one call. */
export type ActiveFaults = { main: Fault | null; latency: Fault | null; slowBody: Fault | null };

export type FaultLog = {
  /**
   * Chooses the faults that act on this call and counts them against `times`.
   *
   * @param scope the calls that are counted together.
   */
  activate(scope: string, faults: readonly Fault[]): ActiveFaults;
};

const MAX_COUNTS = 10_000;

/** Creates a log that counts how often each fault acted in each scope. It holds the newest 10,000 counts. */
export function createFaultLog(): FaultLog {
  const counts = new Map<string, number>();
  const activateOne = (scope: string, fault: Fault): boolean => {
    if (fault.times === null) return true;
    // A digest, because a prompt may be long.
    const key = createHash('sha256').update(`${fault.text}\n${scope}`).digest('base64');
    const count = counts.get(key) ?? 0;
    if (count >= fault.times) return false;
    counts.delete(key);
    counts.set(key, count + 1);
    const [oldest] = counts.keys();
    if (counts.size > MAX_COUNTS && oldest !== undefined) counts.delete(oldest);
    return true;
  };
  return {
    activate(scope, faults) {
      const first = (fits: (name: FaultName) => boolean) =>
        faults.find((fault) => fits(fault.name) && activateOne(scope, fault)) ?? null;
      return {
        latency: first((name) => name === 'latency'),
        slowBody: first((name) => name === 'slow-body'),
        main: first((name) => name !== 'latency' && name !== 'slow-body'),
      };
    },
  };
}
