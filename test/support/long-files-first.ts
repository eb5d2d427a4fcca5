import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take minutes. Vitest knows no durations in a fresh clone, and sorts by size. */
const longFiles = ['slow/chaos', 'slow/openai-client-faults', 'slow/worker-crashes', 'slow/cluster-failover'];

const isLong = ({ moduleId }: TestSpecification): boolean =>
  longFiles.some((name) => moduleId.endsWith(`test/${name}.test.ts`));

/** Starts long files first. If one starts last, the other workers wait for it at the end. */
export class LongFilesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}
