import { type Canvas, num, type Point, polyline } from './canvas.ts';
import { hex, type Lch, lighten, mix } from './color.ts';
import type { Mood } from './mood.ts';
import { createNoise, type Random } from './random.ts';
import { paintBirds, paintSky, paintStars, paintSunOrMoon } from './sky-parts.ts';
import { paintPines } from './trees.ts';

/** Paints layered mountains in mist, often over a lake that mirrors them, with a sun or a moon. */
export function paintMountains(canvas: Canvas, mood: Mood, random: Random, backdrop: boolean): void {
  const { width, height, unit } = canvas;
  const hasLake = random.chance(0.6);
  const shoreY = height * (hasLake ? random.between(0.66, 0.74) : 1.02);
  const sun = { x: width * random.between(0.24, 0.76), y: height * random.between(0.17, 0.32) };
  const radius = unit * random.between(0.055, 0.1);
  if (backdrop) {
    paintSky(canvas, mood);
    if (mood.night) paintStars(canvas, mood, random, shoreY * 0.7, 0.9);
  }
  paintSunOrMoon(canvas, mood, sun, radius);
  if (!mood.night) paintBirds(canvas, mood.near, random, { x: sun.x, y: sun.y + radius * 1.6 });

  const ridges = makeRidges(canvas, random, shoreY);
  const layers = ridges.map((points, index) => {
    const depth = index / (ridges.length - 1);
    return { points, depth, color: mix(mood.far, mood.near, depth ** 1.35 * (hasLake ? 0.82 : 0.95)) };
  });
  for (const layer of layers) paintRidge(canvas, layer.points, layer.color, mood, shoreY, layer.depth);
  if (hasLake) paintLake(canvas, mood, random, { layers, shoreY, sun, radius, backdrop });
  paintPines(canvas, mood, random, height);
}

type Layer = { points: Point[]; depth: number; color: Lch };

function makeRidges(canvas: Canvas, random: Random, shoreY: number): Point[][] {
  const { width, height, unit } = canvas;
  const count = random.whole(4, 6);
  const highest = height * random.between(0.34, 0.42);
  const bottom = Math.min(shoreY, height * 0.92);
  const steps = 150;
  return Array.from({ length: count }, (_, layer) => {
    const noise = createNoise(random);
    const depth = layer / (count - 1);
    const base = highest + (bottom - highest) * depth ** 0.85 * 0.86;
    const relief = unit * (0.19 - 0.13 * depth) * random.between(0.85, 1.15);
    const stretch = (width / unit) * random.between(2.2, 3.2);
    return Array.from({ length: steps + 1 }, (_unused, step): Point => {
      const share = step / steps;
      // The folded octaves make pointed summits, and the plain one makes the slopes irregular.
      const folded = 1 - Math.abs(noise(share * stretch, 4)) * 1.6;
      const rolling = noise(share * stretch * 0.6 + 90);
      return [share * width, base - relief * (0.62 * folded + 0.38 * rolling)];
    });
  });
}

function paintRidge(
  canvas: Canvas,
  points: Point[],
  color: Lch,
  mood: Mood,
  footY: number,
  depth: number,
): void {
  const mist = mix(color, mood.sky[2], 0.72 - 0.4 * depth);
  const fill = canvas.linear([
    [0, color],
    [0.35, mix(color, mist, 0.35)],
    [1, mist],
  ]);
  canvas.add(
    `<path d="${polyline(points)}L${num(canvas.width)} ${num(footY)}L0 ${num(footY)}Z" fill="${fill}"/>`,
  );
}

type Lake = {
  layers: Layer[];
  shoreY: number;
  sun: { x: number; y: number };
  radius: number;
  backdrop: boolean;
};

function paintLake(canvas: Canvas, mood: Mood, random: Random, lake: Lake): void {
  const { width, height } = canvas;
  const { shoreY } = lake;
  const depth = height - shoreY;
  const water = canvas.linear([
    [0, mix(mood.sky[2], mood.far, 0.45)],
    [0.5, mix(mood.sky[1], mood.far, 0.5)],
    [1, mix(mood.sky[0], mood.near, 0.45)],
  ]);
  canvas.add(`<rect y="${num(shoreY)}" width="${width}" height="${num(depth)}" fill="${water}"/>`);
  const clip = canvas.define(
    (id) =>
      `<clipPath id="${id}"><rect y="${num(shoreY)}" width="${width}" height="${num(depth)}"/></clipPath>`,
  );
  const mirror = lake.layers
    .map(({ points, color, depth: near }) => {
      const mirrored = points.map(([x, y]): Point => [x, shoreY + (shoreY - y) * 0.62]);
      return `<path d="${polyline(mirrored)}L${width} ${num(shoreY)}L0 ${num(shoreY)}Z" fill="${hex(color)}" fill-opacity="${num(0.2 + near * 0.3)}"/>`;
    })
    .join('');
  canvas.add(`<g clip-path="url(#${clip})">${mirror}</g>`);
  const shade = canvas.linear([
    [0, mood.sky[2], 0.55],
    [0.12, mood.sky[2], 0.12],
    [0.4, mood.near, 0],
    [1, mood.near, 0.5],
  ]);
  canvas.add(`<rect y="${num(shoreY)}" width="${width}" height="${num(depth)}" fill="${shade}"/>`);
  paintGlints(canvas, mood, random, lake);
}

/** Paints broken strokes of light on the water: dense below the sun, sparse elsewhere. */
function paintGlints(canvas: Canvas, mood: Mood, random: Random, { shoreY, sun, radius }: Lake): void {
  const { width, height, unit } = canvas;
  const depth = height - shoreY;
  const strokes: string[] = [];
  const stroke = (x: number, y: number, length: number, thickness: number, opacity: number) =>
    strokes.push(
      `<rect x="${num(x - length / 2)}" y="${num(y)}" width="${num(length)}" height="${num(thickness)}" rx="${num(thickness / 2)}" opacity="${Math.round(opacity * 100) / 100}"/>`,
    );
  for (let index = 0; index < 34; index++) {
    const share = (index / 34) ** 1.3;
    const spread = radius * (0.35 + share * 1.1);
    const x = sun.x + random.between(-1, 1) * spread * 0.55;
    stroke(
      x,
      shoreY + share * depth,
      spread * random.between(0.5, 1.5),
      unit * 0.0032,
      0.75 * (1 - share * 0.75),
    );
  }
  for (let index = 0; index < 40; index++) {
    const share = random.next() ** 0.8;
    const length = unit * random.between(0.02, 0.14) * (0.4 + share);
    stroke(
      random.between(0, width),
      shoreY + share * depth,
      length,
      unit * 0.002,
      random.between(0.06, 0.22),
    );
  }
  canvas.add(`<g fill="${hex(lighten(mood.light, 0.02))}">${strokes.join('')}</g>`);
}
