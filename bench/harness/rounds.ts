import { median, shuffled } from './statistics.ts';

/** A variant to measure. Variants that are compared with each other report the same figures. */
export interface Variant<Figure extends string> {
  readonly name: string;
  measure(): Promise<Readonly<Record<Figure, number>>>;
}

/** Results of all rounds. */
export interface Results<Figure extends string> {
  readonly names: readonly string[];
  /** The median over the rounds. */
  median(name: string, figure: Figure): number;
  /**
   * Returns the figure of a variant relative to the baseline: the median of the quotients of each round. Both values of
   * a round were measured within seconds. A machine that changes its speed during a run therefore changes the ratio
   * little.
   */
  ratio(name: string, baseline: string, figure: Figure): number;
  /** Returns the same ratio after subtracting the figure of a third variant, which does the minimum of work. */
  ratioAbove(least: string, compared: { name: string; baseline: string }, figure: Figure): number;
}

/**
 * Measures every variant once per round. Each round shuffles the variants, so that no variant always profits from its
 * position.
 *
 * @param say called with one line per round.
 */
export async function measureInRounds<Figure extends string>(
  variants: readonly Variant<Figure>[],
  options: { rounds: number; random: () => number; say: (line: string) => void },
): Promise<Results<Figure>> {
  const figures = new Map<string, Readonly<Record<Figure, number>>[]>(variants.map(({ name }) => [name, []]));
  for (let round = 1; round <= options.rounds; round += 1) {
    options.say(`round ${round} of ${options.rounds}`);
    for (const variant of shuffled(variants, options.random)) {
      figures.get(variant.name)?.push(await variant.measure());
    }
  }
  const values = (name: string, figure: Figure) => (figures.get(name) ?? []).map((each) => each[figure]);
  return {
    names: variants.map(({ name }) => name),
    median: (name, figure) => median(values(name, figure)),
    ratio(name, baseline, figure) {
      const below = values(baseline, figure);
      return median(values(name, figure).map((value, round) => value / (below[round] ?? Number.NaN)));
    },
    ratioAbove(least, { name, baseline }, figure) {
      const [under, below] = [values(least, figure), values(baseline, figure)];
      const above = (value: number | undefined, round: number) =>
        (value ?? Number.NaN) - (under[round] ?? Number.NaN);
      return median(
        values(name, figure).map((value, round) => above(value, round) / above(below[round], round)),
      );
    },
  };
}
