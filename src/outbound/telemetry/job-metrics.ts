import { Counter, Histogram, type Registry } from 'prom-client';
import type { Meter } from '../../domain/ports.ts';
import { durationBuckets } from './duration-buckets.ts';

type JobMeter = Pick<Meter, 'submitted' | 'jobFinished' | 'stageDone' | 'imageStored' | 'estimateError'>;

/** Creates the metrics of jobs and of the images that they store. */
export function createJobMetrics(registers: Registry[]): JobMeter {
  const submitted = new Counter({
    name: 'darkroom_jobs_submitted_total',
    help: 'Accepted submissions; a replay returns an earlier job',
    labelNames: ['outcome'],
    registers,
  });
  const finished = new Counter({
    name: 'darkroom_jobs_finished_total',
    help: 'Ended jobs by status and error code',
    labelNames: ['status', 'code'],
    registers,
  });
  const stages = new Histogram({
    name: 'darkroom_stage_duration_seconds',
    help: 'Time spent in each stage',
    labelNames: ['stage'],
    buckets: durationBuckets,
    registers,
  });
  const images = new Counter({
    name: 'darkroom_images_stored_total',
    help: 'Images stored',
    labelNames: ['content_type'],
    registers,
  });
  const bytes = new Counter({
    name: 'darkroom_images_stored_bytes_total',
    help: 'Bytes of the images stored',
    registers,
  });
  const errors = new Histogram({
    name: 'darkroom_estimate_error_ratio',
    help: 'Bill of an image divided by the lower or upper bound of its estimate',
    labelNames: ['bound'],
    buckets: [0.1, 0.25, 0.5, 0.75, 0.9, 1, 1.1, 1.5, 2, 4, 10],
    registers,
  });
  // Found once, because finding a series takes longer than counting.
  const series = { created: submitted.labels('created'), replayed: submitted.labels('replayed') };
  return {
    estimateError: (bound, billByEstimate) => errors.observe({ bound }, billByEstimate),
    submitted: (outcome) => series[outcome].inc(),
    jobFinished: (status, code) => finished.inc({ status, code }),
    stageDone: (stage, value) => stages.observe({ stage }, value),
    imageStored(contentType, sizeBytes) {
      images.inc({ content_type: contentType });
      bytes.inc(sizeBytes);
    },
  };
}
