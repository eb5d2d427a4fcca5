import supertest from 'supertest';

type Labels = Readonly<Record<string, string>>;

/** What a service tells whoever watches it. */
export interface Scrape {
  /** The names of all metrics, whether they have values yet or not. */
  readonly names: ReadonlySet<string>;
  /** The sum of all values of a metric whose labels hold the given ones; `undefined` when there is none. */
  value(name: string, labels?: Labels): number | undefined;
}

/** Reads the metrics of a service, which have to be there. */
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
