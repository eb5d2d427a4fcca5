import { formatShortTime, formatTime } from '../format/time.ts';
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

/** A time of a list in the zone of the browser, without its date if it is today. UTC is in the title. */
export function ShortTime({ at }: { at: string | null | undefined }) {
  const { language } = useSettings().settings;
  if (!at) return <span class="faint">–</span>;
  return (
    <time dateTime={at} title={`${formatTime(at, language, { utc: true, seconds: true })} UTC`} class="num">
      {formatShortTime(at, Date.now(), language)}
    </time>
  );
}
