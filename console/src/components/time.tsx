import { formatTime } from '../format/time.ts';
import { useSettings } from '../lib/settings.ts';

/** A time in the zone of the browser, with UTC in the title; or in UTC, as budgets and usage are counted. */
export function Time(props: { at: string | null | undefined; utc?: boolean; seconds?: boolean }) {
  const { language } = useSettings().settings;
  const { at, utc = false, seconds = false } = props;
  if (!at) return <span class="faint">–</span>;
  const inUtc = `${formatTime(at, language, { utc: true, seconds: true })} UTC`;
  return (
    <time dateTime={at} title={inUtc} class="num">
      {utc ? `${formatTime(at, language, { utc, seconds })} UTC` : formatTime(at, language, { seconds })}
    </time>
  );
}
