import supertest from 'supertest';

type Labels = Readonly<Record<string, string>>;

/** The metrics of one scrape. */
export interface Scrape {
  /** Names of all metrics, with or without values. */
  readonly names: ReadonlySet<string>;
  /** Returns the sum of all values of a metric that have the given labels, or `undefined` if there is none. */
  value(name: string, labels?: Labels): number | undefined;
}

/** Reads the metrics of a service. Rejects if there are none. */
export async function scrape(url: string): Promise<Scrape> {
  const { text } = await supertest(url)
    .get('/metrics')
    .expect(200)
    .expect('content-type', /^text\/plain/);
  const samples = text.split('\n').flatMap((line) => {
    const [, name, labels = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    return name ? [{ name, labels: readLabels(labels), value: Number(value) }] : [];
  });
  return {
    names: new Set([...text.matchAll(/^# TYPE (\w+) /gm)].map(([, name]) => name ?? '')),
    value(name, wanted = {}) {
      const fitting = samples.filter(
        (sample) =>
          sample.name === name &&
          Object.entries(wanted).every(([label, value]) => sample.labels[label] === value),
      );
      return fitting.length === 0 ? undefined : fitting.reduce((sum, { value }) => sum + value, 0);
    },
  };
}

function readLabels(text: string): Labels {
  return Object.fromEntries([...text.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]));
}
