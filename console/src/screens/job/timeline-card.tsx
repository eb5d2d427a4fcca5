import { useServerNow } from '../../api/server-clock.ts';
import type { ImageEvent, ImageJob } from '../../api/types.ts';
import { Icon } from '../../components/icon.tsx';
import { formatDuration } from '../../format/time.ts';
import { useSettings, useText } from '../../lib/settings.ts';
import { job as table } from '../../strings/job.ts';
import { durationOf, type Span, type Timeline, timelineOf } from './timeline.ts';

const classes: Readonly<Record<Span['kind'], string>> = {
  wait: 'span-wait',
  stage: 'span-done',
  call: 'span-main',
  uncertain: 'span-bad',
};
const minShare = 0.6;

/** The stages of a job as bars, with their durations. */
export function TimelineCard({ job, events }: { job: ImageJob; events: readonly ImageEvent[] }) {
  const t = useText(table);
  const { language } = useSettings().settings;
  const timeline = timelineOf(job, events, useServerNow(job.finished_at === null, 1_000));
  return (
    <section class="card" aria-labelledby="timeline">
      <div class="card-head">
        <h2 id="timeline">{t('timeline')}</h2>
        <span class="faint push num">{formatDuration(timeline.to - timeline.from, language)}</span>
      </div>
      <div class="card-body">
        <table class="timeline" aria-label={t('timeline.label')}>
          <tbody class="contents">
            {timeline.rows.map((row) => (
              <tr key={`${row.name} ${row.image}`} class="contents">
                <th class="row" scope="row">
                  {row.image === null
                    ? t(`stage.${row.name}`)
                    : t('stage.generatingImage', { image: row.image })}
                  {row.hasDoubt ? <Icon name="warning" /> : null}
                </th>
                <td>
                  <Bar timeline={timeline} spans={row.spans} />
                </td>
                <td class="num end-text muted">{formatDuration(durationOf(row), language)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Bar({ timeline: { from, to }, spans }: { timeline: Timeline; spans: readonly Span[] }) {
  const share = (ms: number) => (Math.max(0, ms) / (to - from)) * 100;
  return (
    <svg aria-hidden="true">
      <rect class="track" width="100%" height="100%" rx="4" />
      {spans.map((span) => {
        const width = Math.max(minShare, share(span.to - span.from));
        const x = Math.min(share(span.from - from), 100 - width);
        return (
          <rect
            key={`${span.from} ${span.kind}`}
            class={classes[span.kind]}
            x={`${x}%`}
            y="3"
            width={`${width}%`}
            height="12"
            rx="3"
          />
        );
      })}
    </svg>
  );
}
