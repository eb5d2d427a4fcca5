import { useServerNow } from '../../api/server-clock.ts';
import type { ImageJob } from '../../api/types.ts';
import { formatDuration } from '../../format/time.ts';
import { useSettings, useText } from '../../lib/settings.ts';
import { isTerminal, type Progress, stepsOf } from './progress.ts';
import { texts } from './texts.ts';

const tickMs = 500;

/** The stages that the request uses. Done stages keep their duration, the current one counts. */
export function Stages({ job, progress, summary }: { job: ImageJob; progress: Progress; summary: string }) {
  const t = useText(texts);
  const { language } = useSettings().settings;
  const hasEnded = isTerminal(job);
  const now = useServerNow(!hasEnded, tickMs);
  const steps = stepsOf(job, progress, now);
  const current = steps.findIndex(({ state }) => state === 'current');
  const at = current < 0 ? steps.length - 1 : current;
  const name = t(`step.${steps[at]?.step ?? 'done'}`);
  if (hasEnded && job.status !== 'succeeded') return null;
  return (
    <div
      class="stages"
      role="progressbar"
      aria-label={t('progress')}
      aria-valuemin={0}
      aria-valuemax={steps.length - 1}
      aria-valuenow={at}
      aria-valuetext={t('progress.text', { step: name, summary })}
    >
      {steps.map(({ step, state, ms }) => (
        <div key={step} class="stage" data-state={state === 'next' ? undefined : state}>
          <span>
            {t(`step.${step}`)}
            {ms === null ? null : <span class="num">{formatDuration(ms, language)}</span>}
          </span>
        </div>
      ))}
    </div>
  );
}
