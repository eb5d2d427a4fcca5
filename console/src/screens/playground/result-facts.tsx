import type { ImageJob } from '../../api/types.ts';
import { Money, SimulatedNote } from '../../components/money.tsx';
import { sumKnown } from '../../format/money.ts';
import { shortId } from '../../format/short-id.ts';
import { formatBytes } from '../../format/time.ts';
import { href } from '../../lib/router.ts';
import { useSettings, useText } from '../../lib/settings.ts';
import { common } from '../../strings/common.ts';
import type { Slot } from './progress.ts';
import { texts } from './texts.ts';

/** The cost, so far or at the end, and the facts of the chosen image. */
export function ResultFacts({ job, slot }: { job: ImageJob; slot: Slot }) {
  const t = useText(texts);
  const { language } = useSettings().settings;
  return (
    <dl class="facts">
      <Cost job={job} />
      <dt>{t('model')}</dt>
      <dd>{job.request.model}</dd>
      {slot.kind === 'image' ? (
        <>
          <dt>{t('imageNumber', { count: slot.index + 1 })}</dt>
          <dd class="num">
            {[
              slot.image.content_type.replace('image/', '').toUpperCase(),
              `${slot.image.width} × ${slot.image.height}`,
              formatBytes(slot.image.size_bytes, language),
            ].join(', ')}
          </dd>
        </>
      ) : null}
      {job.prompt.enhanced ? (
        <>
          <dt>{t('enhance.enhanced')}</dt>
          <dd dir="auto">{job.prompt.enhanced}</dd>
        </>
      ) : null}
    </dl>
  );
}

/** The cost as a row of facts. An unknown one is explained. */
function Cost({ job }: { job: ImageJob }) {
  const t = useText(texts);
  const c = useText(common);
  const isSimulated = job.livemode === false;
  const { cost } = job;
  const ended = job.attempts.filter(({ state }) => state !== 'calling' && state !== 'received');
  const spent = sumKnown(ended.map(({ cost_micro_usd }) => cost_micro_usd)).microUsd;
  const amount = <Money microUsd={cost.micro_usd} isSimulated={isSimulated} />;
  return (
    <>
      <dt>{t(cost.estimated ? 'cost.soFar' : 'cost')}</dt>
      <dd class="num">
        <span class="strong">
          {cost.estimated
            ? t.rich('cost.ofAtMost', {
                amount: <Money microUsd={spent} isSimulated={isSimulated} />,
                most: amount,
              })
            : amount}
        </span>{' '}
        {isSimulated ? (
          <SimulatedNote />
        ) : cost.estimated ? null : (
          <span class="faint">{c(`billing.${cost.billing}`)}</span>
        )}
        {cost.micro_usd === null && !cost.estimated ? (
          <p class="field-hint">
            {t.rich('cost.why', { job: <a href={href(`/jobs/${job.id}`)}>{shortId(job.id)}</a> })}
          </p>
        ) : null}
      </dd>
    </>
  );
}
