import type { ImageJob } from '../../api/types.ts';
import { href } from '../../lib/router.ts';

/** The metadata of a job. Each pair links to the jobs that have it. */
export function Metadata({ job }: { job: ImageJob }) {
  return (
    <span class="row row-wrap">
      {Object.entries(job.metadata).map(([key, value]) => (
        <a
          key={key}
          class="tag truncate"
          title={`${key}=${value}`}
          href={href('/gallery', { [`metadata[${key}]`]: value })}
        >
          {key}={value}
        </a>
      ))}
    </span>
  );
}
