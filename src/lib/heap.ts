import { setFlagsFromString } from 'node:v8';

/**
 * Allows the heap to double between two full garbage collections.
 *
 * V8 lets a slowly allocating heap grow by less than a third. Network buffers count towards this growth until a minor
 * collection frees them. A worker has megabytes of buffers per image, so after some minutes V8 would run a full collection
 * twice a second. These collections cost as much CPU time as all other work. Only process settings can change that. The
 * heap still cannot exceed `--max-old-space-size`.
 */
export function collectInFullLessOften(): void {
  setFlagsFromString('--heap-growing-percent=100');
}
