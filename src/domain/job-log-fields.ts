import type { ImageJob } from './image-job.ts';

/** Fields that join the log lines of a job with each other, with its request and with its trace. */
export interface JobLogFields {
  readonly job_id: string;
  readonly tenant: string;
  readonly request_id?: string;
  readonly trace_id?: string;
}

/** The part of a job that names it in logs. */
export type LoggedJob = Pick<ImageJob, 'id' | 'tenant'> & {
  readonly requestId?: string | undefined;
  readonly traceparent?: string | undefined;
};

/** Returns the fields that every log line of a job has. */
export function logFieldsOf({ id, tenant, requestId, traceparent }: LoggedJob): JobLogFields {
  const traceId = traceparent?.split('-')[1];
  return {
    job_id: id,
    tenant,
    ...(requestId === undefined ? {} : { request_id: requestId }),
    ...(traceId === undefined ? {} : { trace_id: traceId }),
  };
}
