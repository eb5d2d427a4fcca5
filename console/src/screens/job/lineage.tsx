import type { ImageJob, Page } from '../../api/types.ts';
import { useLive } from '../../api/use-live.ts';
import { SkeletonLines } from '../../components/state.tsx';
import { useSession } from '../../lib/context.ts';
import { href } from '../../lib/router.ts';
import { useText } from '../../lib/settings.ts';
import { job as table } from '../../strings/job.ts';
import { ancestorsOf } from './ancestors.ts';

const maxChildren = 12;

/** The jobs that a job came from, and the jobs that were made from it, as a tree. */
export function Lineage({ job }: { job: ImageJob }) {
  const t = useText(table);
  const { api } = useSession();
  const ancestors = ancestorsOf(job);
  const family = useLive(
    async (signal) => {
      const read = (id: string) => api.call<ImageJob>(`/images/${id}`, { signal }).catch(() => null);
      const [parents, children] = await Promise.all([
        Promise.all(ancestors.map(({ id }) => read(id))),
        api.call<Page<ImageJob>>('/images', { query: { parent: job.id, limit: maxChildren }, signal }),
      ]);
      return { parents, children };
    },
    [job.id, ancestors.map(({ id }) => id).join(' '), job.status],
  );
  const children = family.data?.children.data ?? [];
  return (
    <section class="stack stack-sm">
      <div class="row row-between">
        <h2>{t('lineage')}</h2>
        {family.data?.children.has_more ? (
          <a class="faint" href={href('/gallery', { parent: job.id })}>
            {t('all')}
          </a>
        ) : null}
      </div>
      {family.data || family.error ? (
        <div class="tree">
          {ancestors.map(({ id, role, index }, i) => (
            <Node
              key={id}
              id={id}
              job={family.data?.parents[i] ?? null}
              note={role === 'parent' ? t('lineage.parent') : t('lineage.input', { index: index ?? 0 })}
            />
          ))}
          <ul class={ancestors.length > 0 ? undefined : 'tree-root'}>
            <li>
              <Node id={job.id} job={job} note={kindNote(t, job)} isCurrent />
              {children.length > 0 ? (
                <ul>
                  {children.map((child) => (
                    <li key={child.id}>
                      <Node id={child.id} job={child} note={relationNote(t, child, job)} />
                    </li>
                  ))}
                </ul>
              ) : null}
            </li>
          </ul>
        </div>
      ) : (
        <SkeletonLines />
      )}
    </section>
  );
}

type T = ReturnType<typeof useText<keyof typeof table.en>>;

const kindNote = (t: T, { inputs, request }: ImageJob): string =>
  t(inputs.length > 0 ? 'lineage.edit' : 'lineage.generation', { count: request.n ?? 1 });

/** How a child came from a job: a retry has no input from it. */
function relationNote(t: T, child: ImageJob, { id }: ImageJob): string {
  const isFromImage = child.inputs.some(({ source }) => source.image_id === id);
  if (!isFromImage) return t('retry');
  return child.parent_id === id ? t('lineage.variation') : t('lineage.edit', { count: child.request.n ?? 1 });
}

function Node(props: { id: string; job: ImageJob | null; note: string; isCurrent?: boolean }) {
  const t = useText(table);
  const { id, job, note, isCurrent = false } = props;
  const image = job?.images[0];
  return (
    <a class="tree-node" href={href(`/jobs/${id}`)} aria-current={isCurrent ? 'page' : undefined}>
      {image ? <img class="thumb" src={image.thumbnail_url ?? image.url} alt="" /> : <span class="thumb" />}
      <span class="grow stack stack-tight">
        <span class={isCurrent ? 'truncate strong' : 'truncate'}>
          {isCurrent ? t('lineage.this') : (job?.prompt.original ?? id)}
        </span>
        <span class="faint">{job ? note : t('lineage.gone')}</span>
      </span>
    </a>
  );
}
