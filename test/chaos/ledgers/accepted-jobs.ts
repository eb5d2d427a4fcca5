import type { Random } from '../../../src/local/studio/drawing/random.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { CallResponse, GoodCaller } from '../fleet/good-caller.ts';
import { editInputs } from './edit-inputs.ts';

/** The jobs that the callers of one scenario submitted. */
export interface AcceptedJobs {
  /** Ids of accepted jobs by Idempotency-Key. */
  readonly byKey: ReadonlyMap<string, string>;
  /** Digests of the inputs of accepted edits, by Idempotency-Key. */
  readonly inputsByKey: ReadonlyMap<string, readonly string[]>;
  /** Contradictory responses, such as two jobs for one key. */
  readonly contradictions: readonly string[];
  /** Value of the metadata key `scenario` of all jobs. */
  readonly mark: string;
  /** Submits jobs concurrently, a tenth of them twice. Resolves when all are accepted. */
  submit(count: number, options?: SubmitOptions): Promise<string[]>;
}

interface AcceptedJobsConfig {
  readonly fleet: Fleet;
  readonly caller: GoodCaller;
  readonly random: Random;
  readonly mark: string;
}

interface SubmitOptions {
  /** Minimum and maximum latency of a provider call, in milliseconds. */
  readonly latencyMs?: readonly [number, number];
  readonly maxConcurrent?: number;
  /** Share of jobs whose provider calls are streams with previews. Default 0. */
  readonly previewShare?: number;
  /** Share of jobs that edit images. Default 0. */
  readonly editShare?: number;
  /** Pause after each submission, in milliseconds. */
  readonly pauseMs?: number;
}

interface Plan {
  readonly latencyMs: number;
  readonly twice: boolean;
  readonly hasPreviews: boolean;
  readonly isEdit: boolean;
}

const defaultLatencyMs = [300, 1500] as const;
const defaultMaxConcurrent = 6;
const shareSentTwice = 0.1;

/** Creates the ledger of the accepted jobs of one scenario. */
export function createAcceptedJobs({ fleet, caller, random, mark }: AcceptedJobsConfig): AcceptedJobs {
  const byKey = new Map<string, string>();
  const inputsByKey = new Map<string, readonly string[]>();
  const contradictions: string[] = [];
  let submitted = 0;

  function enter(key: string, { status, body }: CallResponse): void {
    if (status !== 202 && status !== 200) {
      contradictions.push(`submission ${key} got ${status}: ${body.toString().slice(0, 200)}`);
      return;
    }
    const { id } = JSON.parse(body.toString()) as { id: string };
    const known = byKey.get(key);
    if (known !== undefined && known !== id)
      contradictions.push(`submission ${key} created two jobs: ${known}, ${id}`);
    byKey.set(key, id);
  }

  async function submitOne({ latencyMs, twice, hasPreviews, isEdit }: Plan): Promise<string> {
    submitted += 1;
    const key = `${mark}-${submitted}`;
    const inputs = isEdit ? await editInputs() : null;
    if (inputs) inputsByKey.set(key, inputs.digests);
    const body = {
      ...inputs?.fields,
      prompt: `Image ${submitted} of ${mark} [studio:latency=${latencyMs}]`,
      ...(hasPreviews ? { partial_images: 2 } : {}),
      metadata: { scenario: mark },
      webhook: {
        url: fleet.events.url,
        events: ['image.succeeded', 'image.failed', 'image.canceled', 'image.expired'],
      },
    };
    const send = () => caller.call('POST', '/images', { body, idempotencyKey: key });
    for (const response of await Promise.all(twice ? [send(), send()] : [send()])) enter(key, response);
    return byKey.get(key) ?? '';
  }

  return {
    byKey,
    inputsByKey,
    contradictions,
    mark,
    async submit(
      count,
      {
        latencyMs: [low, high] = defaultLatencyMs,
        maxConcurrent = defaultMaxConcurrent,
        previewShare = 0,
        editShare = 0,
        pauseMs = 0,
      } = {},
    ) {
      const plan: Plan[] = Array.from({ length: count }, () => ({
        latencyMs: random.whole(low, high),
        twice: random.chance(shareSentTwice),
        hasPreviews: previewShare > 0 && random.chance(previewShare),
        isEdit: editShare > 0 && random.chance(editShare),
      }));
      const ids: string[] = [];
      const submitter = async () => {
        for (let next = plan.shift(); next; next = plan.shift()) {
          ids.push(await submitOne(next));
          if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
        }
      };
      await Promise.all(Array.from({ length: maxConcurrent }, submitter));
      return ids;
    },
  };
}
