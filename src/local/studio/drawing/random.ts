import { createHash } from 'node:crypto';

/** A deterministic source of choices. The same key yields the same sequence on every machine. */
export type Random = {
  /** Returns a number in [0, 1). */
  next(): number;
  /** Returns a number in [low, high). */
  between(low: number, high: number): number;
  /** Returns a whole number in [low, high], both included. */
  whole(low: number, high: number): number;
  /** Returns true with the given probability. */
  chance(probability: number): boolean;
  /** Returns one element of a list that is not empty. */
  pick<T>(list: readonly T[]): T;
  /** Returns a new list with the same elements in another order. */
  shuffle<T>(list: readonly T[]): T[];
};

/** Creates a deterministic source from any text. SHA-256 of the key seeds the sfc32 generator. */
export function createRandom(key: string): Random {
  const digest = createHash('sha256').update(key).digest();
  const next = sfc32(digest.readUInt32LE(0), digest.readUInt32LE(4), digest.readUInt32LE(8));
  const whole = (low: number, high: number) => low + Math.floor(next() * (high - low + 1));
  return {
    next,
    between: (low, high) => low + next() * (high - low),
    whole,
    chance: (probability) => next() < probability,
    pick: (list) => {
      const choice = list[whole(0, list.length - 1)];
      if (choice === undefined) throw new RangeError('cannot pick from an empty list');
      return choice;
    },
    shuffle: (list) =>
      list
        .map((value) => ({ value, submit: next() }))
        .sort((left, right) => left.submit - right.submit)
        .map(({ value }) => value),
  };
}

function sfc32(seedA: number, seedB: number, seedC: number): () => number {
  let a = seedA;
  let b = seedB;
  let c = seedC;
  let counter = 1;
  const next = () => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 4_294_967_296;
  };
  for (let round = 0; round < 12; round++) next();
  return next;
}

/** Creates smooth one-dimensional noise in about [-1, 1]. `octaves` adds finer and weaker detail. */
export function createNoise(random: Random): (x: number, octaves?: number) => number {
  const lattice = Array.from({ length: 256 }, () => random.between(-1, 1));
  const at = (index: number) => lattice[((index % 256) + 256) % 256] ?? 0;
  const smooth = (x: number) => {
    const cell = Math.floor(x);
    const t = x - cell;
    const eased = t * t * (3 - 2 * t);
    return at(cell) * (1 - eased) + at(cell + 1) * eased;
  };
  return (x, octaves = 1) => {
    let sum = 0;
    let weight = 0;
    for (let octave = 0; octave < octaves; octave++) {
      const share = 0.5 ** octave;
      sum += smooth(x * 2 ** octave + octave * 37.7) * share;
      weight += share;
    }
    return sum / weight;
  };
}
