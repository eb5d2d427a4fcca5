import { z } from 'zod';
import { type Task, taskKinds } from '../../domain/task.ts';

/** Schema version of the messages that this release writes. */
export const taskVersion = 1;

/** A task as stored in Redis. Messages of other releases may contain more fields and unknown kinds. */
export type TaskMessage = Readonly<Record<string, unknown>>;

/** Result of decoding a message. An `unknown` message was written by a newer release, a `damaged` one by none. */
export type DecodedTask =
  | { readonly format: 'known'; readonly task: Task }
  | { readonly format: 'unknown'; readonly version: number; readonly kind: string }
  | { readonly format: 'damaged' };

const Envelope = z.object({ v: z.number().int(), kind: z.string() });
const KnownMessage = z.object({
  v: z.literal(taskVersion),
  kind: z.enum(taskKinds),
  tenant: z.string().min(1),
  id: z.string().min(1),
});

/** Encodes a task. Copies the named fields only, so that no data of a record gets into the queue. */
export function encodeTask({ kind, tenant, id }: Task): TaskMessage {
  return { v: taskVersion, kind, tenant, id };
}

/** Decodes a message. Every release keeps the fields `v` and `kind`. */
export function decodeTask(message: unknown): DecodedTask {
  const known = KnownMessage.safeParse(message);
  if (known.success) {
    const { kind, tenant, id } = known.data;
    return { format: 'known', task: { kind, tenant, id } };
  }
  const envelope = Envelope.safeParse(message);
  if (!envelope.success) return { format: 'damaged' };
  const { v: version, kind } = envelope.data;
  const isOurs = version === taskVersion && taskKinds.some((each) => each === kind);
  return isOurs ? { format: 'damaged' } : { format: 'unknown', version, kind };
}
