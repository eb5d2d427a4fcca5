import { hostname } from 'node:os';
import type { Config } from '../config/config.ts';
import { recordSchema } from '../domain/image-job.ts';
import { deliverySchema } from '../domain/webhook-delivery.ts';
import { endpointSchema } from '../domain/webhook-endpoint.ts';
import { every } from '../lib/every.ts';
import { createOutageLog } from '../lib/outage-log.ts';
import { packageVersion } from '../lib/package-version.ts';
import { taskVersion } from '../outbound/queue/task-message.ts';
import { readServer } from '../outbound/records/read-server.ts';
import { spoolVersion } from '../outbound/spool/head-line.ts';
import type { Adapters } from './adapters.ts';
import { clock } from './clock.ts';
import type { Root } from './root.ts';
import { describeStorage } from './storage.ts';

const reportPauseMs = 5_000;

const versions = {
  release: packageVersion(),
  node: process.version,
  schemas: {
    job: recordSchema,
    task: taskVersion,
    spooled_response: spoolVersion,
    webhook_delivery: deliverySchema,
    webhook_endpoint: endpointSchema,
  },
};

/** Builds what the status of the deployment needs beyond other maintenance. */
export function composeStatus(config: Config, adapters: Adapters) {
  const { records, memory, durability, connections } = adapters;
  return {
    readFigures: adapters.readFigures,
    processStates: records.processStates,
    workerRuns: records.workerRuns,
    pingStore: () => connections.direct.ping(),
    readServer: () => readServer(connections.records),
    readMemory: memory.read,
    isAofOn: durability.isAofOn,
    storageLocation: describeStorage(config),
    versions,
  };
}

/** Starts the reports of this process about itself. A process that ends removes its report. */
export function reportProcess({ config, process: name, closers, log }: Root, adapters: Adapters): void {
  const { processStates } = adapters.records;
  const startedAt = clock();
  const inspectSpool = config.roles.has('worker') ? adapters.spool.inspect : undefined;
  const outage = createOutageLog(log, {
    fields: {},
    outage: 'status of this process not reported, retrying',
    over: 'status of this process reported again',
  });
  const report = async () => {
    const spool = await inspectSpool?.().then(
      (content) => ({ spool: content }),
      (error: Error) => ({ spoolFault: error.message }),
    );
    await processStates.write({
      ...{ process: name, at: clock(), startedAt, host: hostname(), pid: process.pid },
      ...{ roles: [...config.roles], release: versions.release, node: versions.node, ...spool },
    });
    outage.worked();
  };
  // Only a list removes the reports of killed processes, and the status may never be read.
  processStates.list().catch(() => {});
  const stop = every(reportPauseMs, report, { onError: outage.failed, firstAfterMs: 0 });
  closers.add(stop, async (end) => {
    await end();
    await processStates.remove(name).catch(() => {});
  });
}
