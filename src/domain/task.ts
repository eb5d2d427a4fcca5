/**
 * Every kind of task with the queue that carries it. A new kind is one line here and one handler in
 * `inbound/worker/task-handlers.ts`.
 */
export const queueOfKind = {
  run_job: 'jobs',
  dispatch_event: 'webhooks',
  deliver_pending: 'webhooks',
} as const satisfies Record<string, 'jobs' | 'webhooks'>;

export type TaskKind = keyof typeof queueOfKind;

export const taskKinds = Object.keys(queueOfKind) as TaskKind[];

/** Record that a task refers to: a job, an event or a delivery queue. */
export interface TaskSubject {
  readonly tenant: string;
  readonly id: string;
}

/** Queue message: the kind of work and the record that it refers to. A task never carries data of the record. */
export interface Task extends TaskSubject {
  readonly kind: TaskKind;
}
