import { setFlagsFromString } from 'node:v8';

/**
 * Lets the heap double between two full collections.
 *
 * V8 lets a heap that allocates slowly grow by less than a third, and counts the buffers that the network is read into
 * toward that as long as no small collection has freed them. A worker has megabytes of them at every image, so after
 * some minutes it would be collected in full twice a second, which costs as much as everything else it does. Only
 * settings of the process can change that; it must not grow above `--max-old-space-size` all the same.
 */
export function collectInFullLessOften(): void {
  setFlagsFromString('--heap-growing-percent=100');
}
