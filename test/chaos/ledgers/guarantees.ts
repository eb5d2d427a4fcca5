import type { Random } from '../../../src/local/studio/drawing/random.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { GoodCaller, Response_ } from '../fleet/good-caller.ts';

/** What the callers of one scenario were promised. */
export interface Promises {
  /** Ids of accepted jobs by the Idempotency-Key they were ordered under. */
  readonly byKey: ReadonlyMap<string, string>;
  /** Contradictions among the answers, such as two jobs for one key. */
  readonly contradictions: readonly string[];
  /** The pair of metadata that all jobs of the scenario carry. */
  readonly mark: string;
  /** Orders images, several at a time, a tenth of them twice at once. Resolves when all are accepted. */
  generate(count: number, options?: SubmitOptions): Promise<string[]>;
}

interface SubmitOptions {
  /** How long the provider takes for each, in milliseconds, at least and at most. */
  readonly latencyMs?: readonly [number, number];
  readonly maxConcurrent?: number;
  /** Pause after each order of a lane, in milliseconds. */
  readonly pauseMs?: number;
}

const usualLatencyMs = [300, 1500] as const;
const usualAtOnce = 6;
const askedTwice = 0.1;

/** Opens the book of one scenario. */
export function createPromises(fleet: Fleet, caller: GoodCaller, random: Random, mark: string): Promises {
  const byKey = new Map<string, string>();
  const contradictions: string[] = [];
  let submitted = 0;

  function enter(key: string, { status, body }: Response_): void {
    if (status !== 202 && status !== 200) {
      contradictions.push(`order ${key} was answered ${status}: ${body.toString().slice(0, 200)}`);
      return;
    }
    const { id } = JSON.parse(body.toString()) as { id: string };
    const known = byKey.get(key);
    if (known !== undefined && known !== id)
      contradictions.push(`order ${key} gave two jobs: ${known}, ${id}`);
    byKey.set(key, id);
  }

  async function submitOne(latencyMs: number, twice: boolean): Promise<string> {
    submitted += 1;
    const key = `${mark}-${submitted}`;
    const body = {
      prompt: `Image ${submitted} of ${mark} [studio:latency=${latencyMs}]`,
      metadata: { scenario: mark },
      webhook: {
        url: fleet.events.url,
        events: ['image.succeeded', 'image.failed', 'image.canceled', 'image.expired'],
      },
    };
    const place = () => caller.call('POST', '/images', { body, idempotencyKey: key });
    for (const response of await Promise.all(twice ? [place(), place()] : [place()])) enter(key, response);
    return byKey.get(key) ?? '';
  }

  return {
    byKey,
    contradictions,
    mark,
    async generate(
      count,
      { latencyMs: [low, high] = usualLatencyMs, maxConcurrent = usualAtOnce, pauseMs = 0 } = {},
    ) {
      const plan = Array.from({ length: count }, () => ({
        latencyMs: random.whole(low, high),
        twice: random.chance(askedTwice),
      }));
      const ids: string[] = [];
      const scope = async () => {
        for (let next = plan.shift(); next; next = plan.shift()) {
          ids.push(await submitOne(next.latencyMs, next.twice));
          if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
        }
      };
      await Promise.all(Array.from({ length: maxConcurrent }, scope));
      return ids;
    },
  };
}
