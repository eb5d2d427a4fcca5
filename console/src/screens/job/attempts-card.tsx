import type { ImageJob } from '../../api/types.ts';
import { Badge } from '../../components/badge.tsx';
import { CopyButton } from '../../components/copy-button.tsx';
import type { IconName } from '../../components/icon.tsx';
import { Money, SimulatedNote } from '../../components/money.tsx';
import { TableRegion } from '../../components/table.tsx';
import { sumKnown } from '../../format/money.ts';
import { shortId } from '../../format/short-id.ts';
import { formatDuration } from '../../format/time.ts';
import { useSettings, useText } from '../../lib/settings.ts';
import { common } from '../../strings/common.ts';
import { job as table } from '../../strings/job.ts';

type Attempt = ImageJob['attempts'][number];

const icons: Readonly<Record<string, IconName>> = {
  calling: 'ring',
  received: 'ring',
  stored: 'success',
  rejected: 'failed',
  uncertain: 'warning',
  unusable: 'warning',
  wasted: 'warning',
};
/** Status whose color an attempt has. */
const colors: Readonly<Record<string, string>> = {
  calling: 'running',
  received: 'running',
  stored: 'stored',
  rejected: 'failed',
  uncertain: 'uncertain',
  unusable: 'uncertain',
  wasted: 'uncertain',
};
const known = ['calling', 'received', 'stored', 'rejected', 'uncertain', 'unusable', 'wasted'] as const;

/** The ledger of a job: every call to the provider, with its state, id and cost. */
export function AttemptsCard({ job }: { job: ImageJob }) {
  const t = useText(table);
  return (
    <section class="card" aria-labelledby="attempts">
      <div class="card-head">
        <h2 id="attempts">{t('attempts')}</h2>
        <span class="faint push">{t('attempts.note')}</span>
      </div>
      {job.attempts.length === 0 ? (
        <p class="card-body muted">{t('attempts.none')}</p>
      ) : (
        <TableRegion label={t('attempts.table')}>
          <thead>
            <tr>
              <th scope="col">{t('attempt.call')}</th>
              <th scope="col">{t('attempt.state')}</th>
              <th scope="col">{t('attempt.started')}</th>
              <th scope="col" class="end">
                {t('attempt.duration')}
              </th>
              <th scope="col">{t('attempt.request')}</th>
              <th scope="col" class="end pinned">
                {t('fact.cost')}
              </th>
            </tr>
          </thead>
          <tbody>
            {job.attempts.map((attempt, i) => (
              <AttemptRow key={i} attempt={attempt} earlier={job.attempts.slice(0, i)} job={job} />
            ))}
          </tbody>
          <Total job={job} />
        </TableRegion>
      )}
    </section>
  );
}

/** The sum of the known costs, and the calls that it leaves out. */
function Total({ job }: { job: ImageJob }) {
  const t = useText(table);
  const isSimulated = job.livemode === false;
  const sum = sumKnown(job.attempts.map(({ cost_micro_usd }) => cost_micro_usd));
  return (
    <tfoot>
      <tr>
        <td colSpan={5}>
          <span class="foot-text">
            {t('attempts.total')}
            {sum.unknown > 0 ? (
              <span class="faint"> · {t('attempts.leftOut', { count: sum.unknown })}</span>
            ) : null}
            {isSimulated ? (
              <>
                {' · '}
                <SimulatedNote />
              </>
            ) : null}
          </span>
        </td>
        <td class="end pinned">
          <Money microUsd={sum.microUsd} isSimulated={isSimulated} />
        </td>
      </tr>
    </tfoot>
  );
}

function AttemptRow({
  attempt,
  earlier,
  job,
}: {
  attempt: Attempt;
  earlier: readonly Attempt[];
  job: ImageJob;
}) {
  const t = useText(table);
  const { language } = useSettings().settings;
  const { kind, index, state, started_at, finished_at } = attempt;
  const isRepeated = earlier.some((each) => each.kind === kind && each.index === index);
  const isNumbered = (job.request.n ?? 1) > 1 && kind !== 'enhance';
  const name = isNumbered ? `${kind} ${index + 1}` : kind;
  const clock = new Intl.DateTimeFormat(language, { timeStyle: 'medium' }).format(new Date(started_at));
  return (
    <tr>
      <td>{isRepeated ? t('attempt.repeated', { call: name }) : name}</td>
      <td>
        <StateBadge state={state} />
        {attempt.error ? (
          <>
            {' '}
            <a class="tag" href={`/docs/errors#${attempt.error}`} target="_blank" rel="noreferrer">
              {attempt.error}
            </a>
          </>
        ) : null}
      </td>
      <td class="num">
        <time dateTime={started_at} title={started_at}>
          {clock}
        </time>
      </td>
      <td class="end num">
        {finished_at ? formatDuration(Date.parse(finished_at) - Date.parse(started_at), language) : '–'}
      </td>
      <td class="muted">
        <RequestId id={attempt.provider_request_id} />
      </td>
      <td class="end pinned">
        <Money microUsd={attempt.cost_micro_usd} isSimulated={attempt.provider === 'studio'} />
      </td>
    </tr>
  );
}

function RequestId({ id }: { id: string | null }) {
  const t = useText(table);
  const shared = useText(common);
  if (id === null) return <>{t('attempt.noRequest')}</>;
  return (
    <span class="row">
      <span class="mono" title={id}>
        {shortId(id)}
      </span>
      <CopyButton text={id} kind="quiet" label={shared('copyRequestId', { id })} />
    </span>
  );
}

/** The state of a call as shape, word and color. A state of a newer server is shown as its text. */
function StateBadge({ state }: { state: string }) {
  const t = useText(table);
  const name = known.find((each) => each === state);
  if (!name) return <Badge>{state}</Badge>;
  const [icon, color] = [icons[name], colors[name]];
  return (
    <Badge {...(color ? { status: color } : {})} {...(icon ? { icon } : {})}>
      {t(`state.${name}`)}
    </Badge>
  );
}
