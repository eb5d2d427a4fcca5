import { type Canvas, num, type Point, smoothLine } from './canvas.ts';
import { hex, type Lch, lighten, mix } from './color.ts';
import type { Mood } from './mood.ts';
import { wordsMatch } from './prompt-words.ts';
import type { Random } from './random.ts';
import { paintBirds, paintSky, paintStars, paintSunOrMoon } from './sky-parts.ts';

type Tower = { x: number; top: number; base: number; half: number };

/** Paints a striped lighthouse on a rock above the sea, with its beam, and clouds and rain if the prompt names a storm. */
export function paintLighthouse(
  canvas: Canvas,
  mood: Mood,
  random: Random,
  backdrop: boolean,
  prompt: string,
): void {
  const { width, height, unit } = canvas;
  const isStorm = wordsMatch('storm', prompt);
  const horizon = height * 0.7;
  const tower: Tower = {
    x: width * random.between(0.36, 0.64),
    top: height * 0.2,
    base: height * 0.74,
    half: unit * 0.062,
  };
  if (backdrop) {
    paintSky(canvas, isStorm ? stormy(mood) : mood);
    if (mood.night && !isStorm) paintStars(canvas, mood, random, horizon, 0.8);
    const side = tower.x > width / 2 ? 0.2 : 0.8;
    if (!isStorm) paintSunOrMoon(canvas, mood, { x: width * side, y: height * 0.3 }, unit * 0.055);
    if (isStorm) paintClouds(canvas, mood, random);
    else paintBirds(canvas, mood.near, random, { x: width * side, y: height * 0.44 });
    paintSea(canvas, mood, random, { from: horizon, rows: 3, swell: isStorm ? 0.03 : 0.008 });
  }
  if (backdrop) paintBeam(canvas, mood, tower, isStorm || mood.night ? 0.8 : 0.4);
  paintRock(canvas, mood, random, tower);
  paintTower(canvas, mood, tower);
  if (!backdrop) return;
  paintSea(canvas, mood, random, { from: height * 0.86, rows: 3, swell: isStorm ? 0.045 : 0.012 });
  if (isStorm) paintRain(canvas, random);
}

const SLATE: Lch = [0.36, 0.03, 250];

function stormy(mood: Mood): Mood {
  const [top, middle, low] = mood.sky;
  return { ...mood, sky: [mix(top, SLATE, 0.75), mix(middle, SLATE, 0.6), mix(low, SLATE, 0.35)] };
}

function paintClouds(canvas: Canvas, mood: Mood, random: Random): void {
  const { width, height, unit } = canvas;
  for (let row = 0; row < 4; row++) {
    const tone = hex(lighten(mix(mood.sky[0], SLATE, 0.8), 0.05 * row - 0.06));
    const y = height * (0.02 + row * 0.085);
    const puffs: string[] = [];
    for (let x = -unit * 0.1; x < width + unit * 0.1; x += unit * random.between(0.06, 0.11)) {
      const size = unit * random.between(0.05, 0.11) * (1 - row * 0.13);
      puffs.push(
        `<ellipse cx="${num(x)}" cy="${num(y + unit * random.between(-0.02, 0.03))}" rx="${num(size * 1.35)}" ry="${num(size)}"/>`,
      );
    }
    canvas.add(`<g fill="${tone}" opacity="${num(0.9 - row * 0.16)}">${puffs.join('')}</g>`);
  }
}

function paintBeam(canvas: Canvas, mood: Mood, { x, top, half }: Tower, opacity: number): void {
  const { width, height, unit } = canvas;
  const y = top - half * 0.1;
  const warm = mix(mood.light, [0.97, 0.06, 95], 0.6);
  for (const side of [-1, 1]) {
    const far = side < 0 ? -unit * 0.1 : width + unit * 0.1;
    const paint = canvas.linear(
      side < 0
        ? [
            [0, warm, 0],
            [1, warm, opacity * 0.75],
          ]
        : [
            [0, warm, opacity * 0.75],
            [1, warm, 0],
          ],
      [0, 0, 1, 0],
    );
    const spread = height * (side < 0 ? 0.1 : 0.13);
    canvas.add(
      `<path d="M${num(x)} ${num(y - half * 0.2)}L${num(far)} ${num(y - spread)}L${num(far)} ${num(y + spread)}L${num(x)} ${num(y + half * 0.2)}Z" fill="${paint}"/>`,
    );
  }
  canvas.glow(x, y, unit * 0.2, warm, opacity);
}

function paintRock(canvas: Canvas, mood: Mood, random: Random, { x, base }: Tower): void {
  const { height, unit } = canvas;
  const reach = unit * 0.34;
  const outline: Point[] = [];
  for (let step = 0; step <= 8; step++) {
    const share = step / 8;
    const rise = Math.sin(share * Math.PI) ** 0.7;
    outline.push([
      x - reach + 2 * reach * share,
      height * 0.92 - (height * 0.92 - base) * rise + unit * random.between(-0.008, 0.012),
    ]);
  }
  const dark = mix(mood.near, SLATE, 0.3);
  const paint = canvas.linear([
    [0, lighten(dark, 0.12)],
    [1, lighten(dark, -0.06)],
  ]);
  canvas.add(
    `<path d="${smoothLine(outline)}L${num(x + reach)} ${height}L${num(x - reach)} ${height}Z" fill="${paint}"/>`,
  );
  const [left, right] = [x - unit * 0.1, x + unit * 0.2];
  canvas.add(
    `<path d="M${num(x + unit * 0.02)} ${num(base + unit * 0.02)}L${num(right)} ${num(height * 0.84)}L${num(right + unit * 0.1)} ${num(height * 0.92)}L${num(left)} ${num(height * 0.92)}Z" fill="${hex(lighten(dark, -0.08))}" opacity=".6"/>`,
  );
}

function paintTower(canvas: Canvas, mood: Mood, { x, top, base, half }: Tower): void {
  const { unit } = canvas;
  const white: Lch = [0.96, 0.012, 85];
  const red = mix(mood.pops[0], [0.55, 0.19, 27], 0.7);
  const width = (share: number) => half * (0.66 + 0.46 * share);
  const y = (share: number) => top + (base + unit * 0.02 - top) * share;
  const band = (from: number, to: number, color: Lch) =>
    `<path d="M${num(x - width(from))} ${num(y(from))}L${num(x + width(from))} ${num(y(from))}L${num(x + width(to))} ${num(y(to))}L${num(x - width(to))} ${num(y(to))}Z" fill="${hex(color)}"/>`;
  for (let index = 0; index < 5; index++) {
    canvas.add(band(index / 5 + 0.02, (index + 1) / 5 + 0.021, index % 2 === 0 ? red : white));
  }
  const shade = canvas.linear(
    [
      [0, [1, 0, 0], 0.18],
      [0.4, [1, 0, 0], 0],
      [1, [0.15, 0.03, 260], 0.5],
    ],
    [0, 0, 1, 0],
  );
  canvas.add(band(0.02, 1.02, red).replace(/fill="[^"]*"/, `fill="${shade}"`));
  const iron = hex([0.25, 0.02, 260]);
  for (const share of [0.3, 0.52, 0.74]) {
    canvas.add(
      `<rect x="${num(x - half * 0.12)}" y="${num(y(share))}" width="${num(half * 0.24)}" height="${num(half * 0.42)}" rx="${num(half * 0.12)}" fill="${iron}" opacity=".75"/>`,
    );
  }
  const door = half * 0.5;
  canvas.add(
    `<path d="M${num(x - door / 2)} ${num(y(1))}v${num(-door)}a${num(door / 2)} ${num(door / 2)} 0 0 1 ${num(door)} 0v${num(door)}Z" fill="${iron}"/>`,
  );
  paintLantern(canvas, { x, top: y(0.02), half }, iron, red);
}

function paintLantern(canvas: Canvas, { x, top, half }: Omit<Tower, 'base'>, iron: string, red: Lch): void {
  const glass = canvas.linear([
    [0, [0.99, 0.05, 100]],
    [1, [0.93, 0.12, 88]],
  ]);
  const deck = half * 1.02;
  canvas.add(
    `<rect x="${num(x - half * 0.44)}" y="${num(top - half * 0.82)}" width="${num(half * 0.88)}" height="${num(half * 0.8)}" fill="${glass}"/>` +
      `<path d="M${num(x - half * 0.15)} ${num(top - half * 0.82)}v${num(half * 0.8)}M${num(x + half * 0.15)} ${num(top - half * 0.82)}v${num(half * 0.8)}" stroke="${iron}" stroke-width="${num(half * 0.05)}"/>` +
      `<path d="M${num(x - half * 0.58)} ${num(top - half * 0.8)}Q${num(x)} ${num(top - half * 1.6)} ${num(x + half * 0.58)} ${num(top - half * 0.8)}Z" fill="${hex(lighten(red, -0.08))}"/>` +
      `<circle cx="${num(x)}" cy="${num(top - half * 1.28)}" r="${num(half * 0.09)}" fill="${iron}"/>` +
      `<rect x="${num(x - deck)}" y="${num(top - half * 0.08)}" width="${num(2 * deck)}" height="${num(half * 0.16)}" rx="${num(half * 0.06)}" fill="${iron}"/>` +
      `<path d="M${num(x - deck * 0.96)} ${num(top - half * 0.36)}h${num(deck * 1.92)}M${num(x - deck * 0.94)} ${num(top - half * 0.4)}v${num(half * 0.36)}M${num(x + deck * 0.94)} ${num(top - half * 0.4)}v${num(half * 0.36)}" stroke="${iron}" stroke-width="${num(half * 0.05)}" fill="none"/>`,
  );
}

type Sea = { from: number; rows: number; swell: number };

function paintSea(canvas: Canvas, mood: Mood, random: Random, { from, rows, swell }: Sea): void {
  const { width, height, unit } = canvas;
  const deep = mix(mood.near, [0.38, 0.07, 235], 0.55);
  for (let row = 0; row < rows; row++) {
    const y = from + (height * 0.06 * row * unit) / height;
    const crest: Point[] = [];
    for (let x = -unit * 0.1; x <= width + unit * 0.15; x += unit * 0.07) {
      crest.push([x, y + unit * swell * random.between(-1, 1)]);
    }
    const tone = lighten(mix(mood.far, deep, 0.45 + row * 0.2), 0.02);
    const line = smoothLine(crest);
    canvas.add(`<path d="${line}L${width + unit} ${height}L${-unit} ${height}Z" fill="${hex(tone)}"/>`);
    canvas.add(
      `<path d="${line}" fill="none" stroke="${hex(lighten(tone, 0.3))}" stroke-width="${num(unit * (0.002 + swell * 0.09))}" stroke-linecap="round" opacity=".55"/>`,
    );
  }
}

function paintRain(canvas: Canvas, random: Random): void {
  const { width, height, unit } = canvas;
  const drops = Array.from({ length: Math.round((150 * width) / unit) }, () => {
    const length = unit * random.between(0.02, 0.06);
    return `M${num(random.between(-unit * 0.1, width))} ${num(random.between(-unit * 0.1, height))}l${num(length * 0.36)} ${num(length)}`;
  });
  canvas.add(
    `<path d="${drops.join('')}" stroke="#eef3f8" stroke-width="${num(unit * 0.0018)}" stroke-linecap="round" opacity=".4"/>`,
  );
}
