import type { TaskHandler } from '../domain/ports.ts';
import { createTaskDispatcher } from '../inbound/worker/dispatch-task.ts';
import { createTaskHandlers } from '../inbound/worker/task-handlers.ts';
import { every } from '../lib/every.ts';
import { createOutageLog } from '../lib/outage-log.ts';
import { createWorkerRedis } from '../lib/redis/redis.ts';
import { watchClock } from '../lib/watch-clock.ts';
import { createTaskConsumer, type TaskConsumer } from '../outbound/queue/task-consumer.ts';
import { createTaskRelay } from '../outbound/queue/task-relay.ts';
import type { Adapters } from './adapters.ts';
import { connect } from './redis.ts';
import type { Root } from './root.ts';
import type { UseCases } from './use-cases.ts';

/**
 * Duration of a task lock. The task of a killed worker is the next of its queue after at most 1.5 times this duration: the
 * lock expires, and one or two checks for expired locks follow.
 */
const lockDurationMs = 10_000;
const reconcilePauseMs = 5_000;
const sweepPauseMs = 10_000;
const comparePauseMs = 60_000;
const inputSweepPauseMs = 30_000;
/** Pause between two looks for changes of the ledger that are an hour old. */
const archivePauseMs = 60_000;
const spoolRecoveryPauseMs = 15_000;
const spoolRenewalPauseMs = 15_000;
const thumbnailPauseMs = 30_000;

/** Background work of a process. */
export interface Workers {
  start(): void;
  /** Stops fetching tasks, and waits until running tasks have ended or returned to the queue. */
  drain(graceMs: number): Promise<void>;
}

/** Builds the queue consumers, the intake relay and the maintenance of this process's roles. */
export function composeWorkers(root: Root, adapters: Adapters, useCases: UseCases): Workers {
  const { roles } = root.config;
  const relay = roles.has('worker') ? composeRelay(root, adapters, useCases) : undefined;
  const consumers = composeConsumers(root, adapters, { useCases, relay });
  return {
    start() {
      adapters.durability.watch((mayWork) => {
        for (const consumer of consumers) mayWork ? consumer.start() : consumer.pause();
      });
      relay?.start();
      if (consumers.length > 0) startMaintenance(root, useCases);
      watchForSetBack(root, adapters);
      if (roles.has('worker')) startSpoolRecovery(root, useCases);
      if (roles.has('worker') && root.config.THUMBNAILS) startThumbnails(root, useCases);
    },
    async drain(graceMs) {
      await Promise.all(consumers.map((consumer) => consumer.drain(graceMs)));
    },
  };
}

function composeDispatcher(
  { config, log }: Root,
  { generation, thumbnails, webhooks }: UseCases,
): TaskHandler {
  const { runJob } = generation;
  const { dispatchEvent, deliverPending } = webhooks;
  const onDone = config.THUMBNAILS ? thumbnails.makeThumbnails.soon : () => {};
  const handlers = createTaskHandlers({ runJob, onDone, dispatchEvent, deliverPending, log });
  return createTaskDispatcher(handlers);
}

/** Builds the consumers of this process's roles. They share one connection, and each adds a blocking one. */
function composeConsumers(
  root: Root,
  { queues, records }: Adapters,
  { useCases, relay }: { readonly useCases: UseCases; readonly relay: Relay | undefined },
): TaskConsumer[] {
  const { config, connections, closers, log } = root;
  const { names } = queues;
  const dispatch = composeDispatcher(root, useCases);
  const queuesOfRoles = [
    ...(relay ? [{ queue: names.jobs, concurrency: config.WORKER_CONCURRENCY, schedule: relay }] : []),
    ...(config.roles.has('webhooks')
      ? [{ queue: names.webhooks, concurrency: config.WEBHOOK_CONCURRENCY }]
      : []),
  ];
  if (queuesOfRoles.length === 0) return [];
  const redis = connect(root, createWorkerRedis, { name: 'queues' });
  return queuesOfRoles.map((each) => {
    const consumer = createTaskConsumer({ ...each, lockDurationMs }, { redis, log }, dispatch);
    if (each.queue === names.jobs) relay?.serve(consumer);
    connections.addBlocking(`${each.queue.name}-fetch`, consumer.isConnected);
    const unsubscribe = records.signals.onCancel((id) => consumer.cancel(id));
    closers.add(unsubscribe, (end) => end());
    return consumer;
  });
}

/** Builds the relay that schedules accepted jobs. It fills the slots of the consumer that it serves. */
function composeRelay(root: Root, { queues, connections, records }: Adapters, { access }: UseCases) {
  const redis = connect(root, createWorkerRedis, { name: 'intake', use: 'blocking reads' });
  let consumer: TaskConsumer | undefined;
  const relay = createTaskRelay(queues.names.jobs, {
    ...{ redis, commands: connections.records, queue: queues.jobs, process: root.process, log: root.log },
    slots: () => consumer?.slots() ?? 0,
    policyOf: access.policyOf,
  });
  const unsubscribe = records.signals.onPolicyChange(({ kind, name }) => {
    if (kind === 'tenant') return void relay.onPolicyChange(name);
    // A lost message or a failed read delays the change until the next comparison.
    const find = records.apiKeys.get(name);
    find.then((key) => key && relay.onPolicyChange(key.tenant, name)).catch(() => {});
  });
  root.closers.add(unsubscribe, (end) => end());
  root.closers.add(relay, (each) => each.stop());
  return {
    start: relay.start,
    onSlotFree: relay.onSlotFree,
    findReturn: relay.findReturn,
    serve(served: TaskConsumer) {
      consumer = served;
    },
  };
}
type Relay = ReturnType<typeof composeRelay>;

/** Continues delayed tasks after the clock was set back. They wait for a time of the earlier clock, which may be hours away. */
function watchForSetBack({ config, closers, log }: Root, { queues }: Adapters): void {
  const consumed = [
    ...(config.roles.has('worker') ? [queues.jobs] : []),
    ...(config.roles.has('webhooks') ? [queues.webhooks] : []),
  ];
  const onSetBack = (byMs: number) => {
    log.warn({ by_ms: Math.round(byMs) }, 'system clock was set back, delayed tasks continue');
    for (const queue of consumed)
      queue.promoteDelayed().catch((error) => log.warn({ err: error }, 'delayed tasks not continued'));
  };
  closers.add(watchClock(onSetBack), (stop) => stop());
}

/** Renews and recovers the responses in this worker's spool, at once and at intervals. */
function startSpoolRecovery({ closers, draining, log }: Root, { generation }: UseCases): void {
  const recover = () => generation.recoverSpooledResponses(draining);
  const onError = (error: unknown) => log.warn({ err: error }, 'spool cannot be read, retrying');
  closers.add(every(spoolRecoveryPauseMs, recover, { onError, firstAfterMs: 0 }), (stop) => stop());
  // Separate, because a recovery may have to wait for the storage.
  const renew = () => generation.renewSpooledResponses(draining);
  const onUnrenewed = (error: unknown) => log.warn({ err: error }, 'spooled responses not renewed, retrying');
  closers.add(every(spoolRenewalPauseMs, renew, { onError: onUnrenewed, firstAfterMs: 0 }), (stop) => stop());
}

/** Makes thumbnails that a crash or an outage prevented, at intervals. */
function startThumbnails({ closers, log }: Root, { thumbnails }: UseCases): void {
  const onError = (error: unknown) => log.warn({ err: error }, 'missing thumbnails not made, trying again');
  const { makeMissing } = thumbnails.makeThumbnails;
  closers.add(every(thumbnailPauseMs, makeMissing, { onError }), (stop) => stop());
}

/** Reconciles and sweeps at intervals. Every process with a worker does both, because both are idempotent. */
function startMaintenance({ closers, log }: Root, { maintenance, inputs, usage }: UseCases): void {
  const verbs = {
    ...maintenance,
    sweep: () => maintenance.sweep('deadlines'),
    purge: () => maintenance.sweep('retention'),
    sweepInputs: inputs.sweepInputs,
    archiveLedger: usage.archiveDue,
  };
  const repeat = (
    name: 'reconcile' | 'sweep' | 'purge' | 'sweepInputs' | 'archiveLedger' | 'compareHolds',
    pauseMs: number,
    firstAfterMs: number,
  ) => {
    const outage = createOutageLog(log, {
      fields: { maintenance: name },
      outage: 'maintenance failed, retrying',
      over: 'maintenance works again',
    });
    const work = async () => {
      await verbs[name]();
      outage.worked();
    };
    closers.add(every(pauseMs, work, { onError: outage.failed, firstAfterMs }), (stop) => stop());
  };
  repeat('reconcile', reconcilePauseMs, 0);
  // The first sweep waits one pause, so that a restarted worker recovers its spooled responses before their jobs end.
  repeat('sweep', sweepPauseMs, sweepPauseMs);
  repeat('purge', sweepPauseMs, sweepPauseMs);
  repeat('sweepInputs', inputSweepPauseMs, sweepPauseMs);
  repeat('compareHolds', comparePauseMs, comparePauseMs);
  repeat('archiveLedger', archivePauseMs, archivePauseMs);
}
