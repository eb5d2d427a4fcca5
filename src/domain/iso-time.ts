const dayMs = 86_400_000;

/** The last formatted day. The times of one job are mostly of one day, and formatting a date costs ten times as much. */
let day = { no: Number.NaN, text: '' };

/** Returns a time in RFC 3339 form, in UTC with milliseconds: the same text as `toISOString`. @throws RangeError like it. */
export function isoTime(ms: number): string {
  const no = Math.floor(ms / dayMs);
  if (no !== day.no) day = { no, text: new Date(no * dayMs).toISOString().slice(0, -'00:00:00.000Z'.length) };
  const inDay = Math.trunc(ms) - no * dayMs;
  const seconds = Math.floor(inDay / 1000);
  const minutes = Math.floor(seconds / 60);
  const clock = `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}:${two(seconds % 60)}`;
  return `${day.text}${clock}.${three(inDay % 1000)}Z`;
}

const two = (value: number) => (value < 10 ? `0${value}` : `${value}`);
const three = (value: number) => (value < 100 ? `0${two(value)}` : `${value}`);
