import { fromLab, type Lch, labOfBytes, mix, type Triple } from '../drawing/color.ts';
import type { Mood } from '../drawing/mood.ts';

const CLUSTERS = 6;
const ROUNDS = 8;
/** Share of the colors of the inputs in the mood of a scene. */
const SHARE = 0.8;

type Cluster = { readonly center: Triple; readonly size: number };

/** Returns the main colors of RGBA samples, largest area first. Transparent pixels do not count. */
export function mainColors(samples: readonly Buffer[]): Lch[] {
  const points = samples.flatMap(pointsOf);
  if (points.length === 0) return [];
  const byLightness = points.toSorted(([a], [b]) => a - b);
  let centers = Array.from({ length: CLUSTERS }, (_, index): Triple => {
    const at = Math.floor(((index + 0.5) / CLUSTERS) * byLightness.length);
    return byLightness[at] ?? [0.5, 0, 0];
  });
  let clusters: Cluster[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    clusters = gather(points, centers);
    centers = clusters.map(({ center }) => center);
  }
  return clusters.toSorted((a, b) => b.size - a.size).map(({ center }) => fromLab(center));
}

function pointsOf(sample: Buffer): Triple[] {
  const points: Triple[] = [];
  for (let at = 0; at < sample.length; at += 4) {
    const [r = 0, g = 0, b = 0, alpha = 0] = sample.subarray(at, at + 4);
    if (alpha > 127) points.push(labOfBytes([r, g, b]));
  }
  return points;
}

/** Assigns each point to its nearest center. Returns the means, without empty clusters. */
function gather(points: readonly Triple[], centers: readonly Triple[]): Cluster[] {
  const sums = centers.map(() => ({ l: 0, a: 0, b: 0, size: 0 }));
  for (const [l, a, b] of points) {
    const distances = centers.map(
      (center) => (center[0] - l) ** 2 + (center[1] - a) ** 2 + (center[2] - b) ** 2,
    );
    const sum = sums[distances.indexOf(Math.min(...distances))];
    if (sum === undefined) continue;
    sum.l += l;
    sum.a += a;
    sum.b += b;
    sum.size += 1;
  }
  return sums
    .filter(({ size }) => size > 0)
    .map(({ l, a, b, size }) => ({ center: [l / size, a / size, b / size], size }));
}

/** Returns a function that paints a scene in the given colors, and retains the lightness that its mood needs. */
export function recolorWith(colors: readonly Lch[]): (mood: Mood) => Mood {
  if (colors.length === 0) return (mood) => mood;
  const byLightness = colors.toSorted(([a], [b]) => a - b);
  /** Replaces hue and chroma by those of the main color with the nearest lightness. */
  const tint = (color: Lch): Lch => {
    const [lightness] = color;
    const near = byLightness.reduce((best, next) =>
      Math.abs(next[0] - lightness) < Math.abs(best[0] - lightness) ? next : best,
    );
    return mix(color, [lightness, near[1], near[2]], SHARE);
  };
  /** Flat shapes have the colors themselves. */
  const pop = (color: Lch, index: number): Lch => mix(color, colors[index % colors.length] ?? color, SHARE);
  return (mood) => {
    const [top, middle, low] = mood.sky;
    const [p1, p2, p3, p4, p5] = mood.pops;
    return {
      ...mood,
      sky: [tint(top), tint(middle), tint(low)],
      light: tint(mood.light),
      far: tint(mood.far),
      near: tint(mood.near),
      paper: tint(mood.paper),
      ink: tint(mood.ink),
      pops: [pop(p1, 0), pop(p2, 1), pop(p3, 2), pop(p4, 3), pop(p5, 4)],
    };
  };
}
