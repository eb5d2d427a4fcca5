import { type Canvas, num, type Point, smoothLine } from './canvas.ts';
import { hex, type Lch, lighten, mix } from './color.ts';
import type { Mood } from './mood.ts';
import { createNoise, type Random } from './random.ts';
import { paintBirds, paintSky, paintStars, paintSunOrMoon } from './sky-parts.ts';

/** Paints sand dunes in low light: each crest parts a lit slope from a slope in shade. */
export function paintDunes(canvas: Canvas, mood: Mood, random: Random, backdrop: boolean): void {
  const { width, height, unit } = canvas;
  const sun = { x: width * random.between(0.2, 0.8), y: height * random.between(0.2, 0.36) };
  if (backdrop) {
    paintSky(canvas, mood);
    if (mood.night) paintStars(canvas, mood, random, height * 0.5, 1);
  }
  paintSunOrMoon(canvas, mood, sun, unit * random.between(0.07, 0.12));
  if (!mood.night) paintBirds(canvas, mood.near, random, { x: width * 0.5, y: height * 0.2 });
  const count = random.whole(4, 5);
  for (let layer = 0; layer < count; layer++) {
    const depth = layer / (count - 1);
    const base = height * (0.5 + 0.34 * depth ** 1.15);
    paintDune(canvas, mood, random, { base, depth, sunX: sun.x });
  }
}

type Dune = { base: number; depth: number; sunX: number };

function paintDune(canvas: Canvas, mood: Mood, random: Random, { base, depth, sunX }: Dune): void {
  const { width, height, unit } = canvas;
  const noise = createNoise(random);
  const relief = unit * (0.07 + 0.09 * depth);
  const peakX = width * random.between(0.15, 0.85);
  const columns = Array.from({ length: 25 }, (_, step) => (step / 24) * width * 1.1 - width * 0.05);
  const points = [...columns, peakX]
    .sort((left, right) => left - right)
    .map((x): Point => {
      const distance = Math.abs(x - peakX) / (unit * 0.42);
      const swell = 0.5 * noise((x / width) * (width / unit) * 1.5);
      return [x, base - relief * (1.35 * Math.exp(-(distance ** 1.15)) + swell * Math.min(1, distance))];
    });
  const sand = mix(mix(mood.far, mood.pops[0], 0.3), mood.near, depth * 0.55);
  const lit = mix(sand, mood.sky[2], 0.35 - 0.15 * depth);
  const fill = canvas.linear([
    [0, lighten(lit, 0.03)],
    [0.5, mix(lit, sand, 0.7)],
    [1, sand],
  ]);
  canvas.add(`<path d="${smoothLine(points)}V${height}H0Z" fill="${fill}"/>`);
  paintShade(canvas, random, points, { peakX, towards: sunX < peakX ? 1 : -1, sand, mood, depth });
  paintRipples(canvas, random, points, lighten(sand, -0.09), depth);
}

type Shade = { peakX: number; towards: 1 | -1; sand: Lch; mood: Mood; depth: number };

/** Paints the side in shade, bounded by an S-curve that runs down from the summit. */
function paintShade(
  canvas: Canvas,
  random: Random,
  points: Point[],
  { peakX, towards, sand, mood, depth }: Shade,
): void {
  const { width, height, unit } = canvas;
  const crest =
    towards === 1 ? points.filter(([x]) => x >= peakX) : points.filter(([x]) => x <= peakX).reverse();
  const [start, ...rest] = crest;
  if (start === undefined || rest.length < 2) return;
  const edgeX = towards === 1 ? width * 1.05 : -width * 0.05;
  const [sx, sy] = start;
  const run = unit * random.between(0.13, 0.24) * towards;
  const drop = height - sy;
  const shade = mix(sand, mood.near, 0.25 + 0.3 * depth);
  const fill = canvas.linear([
    [0, shade, 1],
    [0.45, shade, 0.75],
    [1, shade, 0.15],
  ]);
  const bend = (x: number, y: number) => `${num(sx + run * x)} ${num(sy + drop * y)}`;
  canvas.add(
    `<path d="${smoothLine([start, ...rest])}L${num(edgeX)} ${height}H${num(sx - run * 0.2)}` +
      `C${bend(-0.9, 0.86)} ${bend(2.3, 0.62)} ${bend(1.25, 0.36)}C${bend(0.75, 0.24)} ${bend(0.35, 0.12)} ${num(sx)} ${num(sy)}Z" fill="${fill}"/>`,
  );
}

function paintRipples(canvas: Canvas, random: Random, points: Point[], color: Lch, depth: number): void {
  if (depth < 0.6) return;
  const lines = Array.from({ length: 9 }, (_, row) => {
    const drop = canvas.unit * (0.06 + row * 0.035 + random.between(0, 0.012));
    return smoothLine(
      points.map(
        ([x, y], step): Point => [
          x,
          y * 0.55 + (points[12]?.[1] ?? y) * 0.45 + drop + Math.sin(step * 1.3 + row) * canvas.unit * 0.006,
        ],
      ),
    );
  });
  canvas.add(
    `<path d="${lines.join('')}" fill="none" stroke="${hex(color)}" stroke-width="${num(canvas.unit * 0.0025)}" opacity=".22"/>`,
  );
}
