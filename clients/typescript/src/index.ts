export type {
  CallOptions,
  DarkroomOptions,
  ImageRef,
  JobRef,
  MakeOptions,
  UploadSource,
} from './darkroom.ts';
export { Darkroom } from './darkroom.ts';
export * from './errors.ts';
export type { StreamOptions, StreamStep } from './event-stream.ts';
export type * from './generated/types.gen.ts';
export type { EditRequest, ImageInput } from './image-input.ts';
export type { Job, JobImage, SucceededJob } from './job-image.ts';
export type { Retry } from './retry.ts';
export { type VerifyOptions, verifyWebhook } from './verify-webhook.ts';
export { hasEnded, type WaitOptions } from './wait-for-job.ts';
