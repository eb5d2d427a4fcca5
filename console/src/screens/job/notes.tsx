import type { ImageJob } from '../../api/types.ts';
import { Button } from '../../components/button.tsx';
import { Note } from '../../components/note.tsx';
import { useCan } from '../../lib/context.ts';
import { useText } from '../../lib/settings.ts';
import { common } from '../../strings/common.ts';
import { job as table } from '../../strings/job.ts';

/** Notes on a job: its errors with their charges, charges that are open, warnings. */
export function Notes({ job, onSettle }: { job: ImageJob; onSettle: () => void }) {
  const t = useText(table);
  const can = useCan();
  const open = job.attempts.filter(
    ({ state, cost_micro_usd }) => state !== 'rejected' && state !== 'calling' && cost_micro_usd === null,
  );
  const canSettle = can('admin') && job.finished_at !== null;
  const single = job.image_errors.filter((each) => each.index !== job.error?.index || job.error === null);
  return (
    <>
      {job.error ? <ErrorNote error={job.error} /> : null}
      {single.map((error) => (
        <ErrorNote key={error.index} error={error} />
      ))}
      {open.length > 0 ? (
        <Note
          tone="warning"
          icon="warning"
          action={
            canSettle ? (
              <Button size="sm" onClick={onSettle}>
                {t('settle.action')}
              </Button>
            ) : undefined
          }
        >
          <div>
            <strong>{t('openCharge', { count: open.length })}</strong> {t('openCharge.text')}
          </div>
        </Note>
      ) : null}
      {job.warnings.map((warning) => (
        <Note key={warning} icon="info">
          {warning}
        </Note>
      ))}
    </>
  );
}

/** An error of a job or of one image: its code, its words, its charge, and what the provider said. */
function ErrorNote({ error }: { error: NonNullable<ImageJob['error']> }) {
  const t = useText(table);
  const c = useText(common);
  const { provider } = error;
  return (
    <Note tone="danger" icon="failed">
      <div>
        {error.index === null ? null : <strong>{t('error.ofImage', { image: error.index + 1 })} </strong>}
        {error.message}
      </div>
      <div class="row row-wrap">
        <a class="tag" href={`/docs/errors#${error.code}`} target="_blank" rel="noreferrer">
          {error.code}
        </a>
        <span class="faint">
          {c(`billing.${error.billing}`)} · {t(error.retryable ? 'error.retryable' : 'error.final')}
        </span>
        {provider?.code && provider.code !== error.code ? <span class="tag">{provider.code}</span> : null}
        {provider?.categories.map((category) => (
          <span key={category} class="tag">
            {category}
          </span>
        ))}
        {provider?.request_id ? <span class="faint mono">{provider.request_id}</span> : null}
      </div>
    </Note>
  );
}
