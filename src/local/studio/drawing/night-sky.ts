import { type Canvas, num, type Point, polyline } from './canvas.ts';
import { hex, type Lch, lighten, mix } from './color.ts';
import type { Mood } from './mood.ts';
import { createNoise, type Random } from './random.ts';
import { paintStars } from './sky-parts.ts';
import { paintPines } from './trees.ts';

/** Paints a clear night: the band of the galaxy, an invented constellation, hills and pines below. */
export function paintNightSky(canvas: Canvas, mood: Mood, random: Random, backdrop: boolean): void {
  const { width, height } = canvas;
  const night = darkened(mood);
  if (backdrop) {
    canvas.backdrop(
      canvas.linear([
        [0, night.sky[0]],
        [0.55, night.sky[1]],
        [0.88, night.sky[2]],
        [1, night.sky[2]],
      ]),
    );
    paintGalaxy(canvas, night, random);
    canvas.glow(width * random.between(0.3, 0.7), height * 0.98, height * 0.5, night.pops[0], 0.4);
  }
  paintStars(canvas, night, random, height * 0.88, 1.5);
  paintConstellation(canvas, night, random);
  if (random.chance(0.6)) paintShootingStar(canvas, night, random);
  paintHills(canvas, night, random);
  paintPines(canvas, { ...night, near: lighten(night.near, -0.02) }, random, height);
}

/** Returns the hues of the mood at night. */
function darkened(mood: Mood): Mood {
  if (mood.night) return mood;
  const dim = ([, chroma, hue]: Lch, lightness: number): Lch => [
    lightness,
    Math.min(0.09, chroma * 0.9),
    hue,
  ];
  const [top, middle, low] = mood.sky;
  const cool: Lch = [0.3, 0.06, 268];
  return {
    ...mood,
    night: true,
    sky: [mix(dim(top, 0.19), cool, 0.35), mix(dim(middle, 0.29), cool, 0.3), dim(low, 0.5)],
    light: [0.95, 0.03, 92],
    far: mix(dim(mood.far, 0.36), cool, 0.3),
    near: dim(mood.near, 0.14),
  };
}

function paintGalaxy(canvas: Canvas, mood: Mood, random: Random): void {
  const { width, height, unit } = canvas;
  const noise = createNoise(random);
  const [startX, endX] = random.chance(0.5) ? [0.1, 0.85] : [0.9, 0.15];
  const clouds = 22;
  for (let index = 0; index < clouds; index++) {
    const share = index / (clouds - 1);
    const x = width * (startX + (endX - startX) * share) + unit * 0.12 * noise(share * 4);
    const y = height * (-0.05 + 0.8 * share) + unit * 0.1 * noise(share * 5 + 40);
    const tint = index % 3 === 0 ? mood.pops[3] : index % 3 === 1 ? mood.pops[1] : mood.sky[2];
    canvas.glow(x, y, unit * random.between(0.16, 0.3), lighten(tint, 0.08), random.between(0.1, 0.2));
  }
  const dust: string[] = [];
  for (let index = 0; index < 420; index++) {
    const share = random.next();
    const spread = (random.next() + random.next() + random.next() - 1.5) * unit * 0.2;
    const x = width * (startX + (endX - startX) * share) + unit * 0.12 * noise(share * 4) + spread;
    const y = height * (-0.05 + 0.8 * share) + unit * 0.1 * noise(share * 5 + 40) + spread * 0.4;
    dust.push(
      `<circle cx="${num(x)}" cy="${num(y)}" r="${Math.round(unit * random.between(0.06, 0.13)) / 100}"/>`,
    );
  }
  canvas.add(`<g fill="${hex(lighten(mood.light, 0.02))}" opacity=".55">${dust.join('')}</g>`);
}

function paintConstellation(canvas: Canvas, mood: Mood, random: Random): void {
  const { width, height, unit } = canvas;
  const count = random.whole(6, 9);
  const center: Point = [width * random.between(0.38, 0.62), height * random.between(0.28, 0.42)];
  const reach = unit * random.between(0.2, 0.28);
  // Stars around a loose ellipse, joined in turn, are neither tangled nor regular.
  const stars = Array.from({ length: count }, (_, index): Point => {
    const angle = (index / count) * Math.PI * 1.7 + random.between(-0.2, 0.2);
    const radius = reach * random.between(0.55, 1.15);
    return [center[0] + Math.cos(angle) * radius * 1.25, center[1] + Math.sin(angle) * radius * 0.8];
  });
  const spur = stars[random.whole(1, count - 2)] ?? center;
  const tip: Point = [
    spur[0] + reach * random.between(-0.5, 0.5),
    spur[1] - reach * random.between(0.4, 0.7),
  ];
  const light = hex(mood.light);
  canvas.add(
    `<path d="${polyline(stars)}${polyline([spur, tip])}" fill="none" stroke="${light}" stroke-width="${num(unit * 0.0017)}" opacity=".42"/>`,
  );
  for (const [x, y] of [...stars, tip]) {
    const size = unit * random.between(0.0035, 0.0065);
    canvas.glow(x, y, size * 6, mood.light, 0.5);
    canvas.add(`<path d="${sparkle(x, y, size * 2.1)}" fill="${light}"/>`);
  }
}

const sparkle = (x: number, y: number, r: number) => {
  const bend = r * 0.16;
  return `M${num(x)} ${num(y - r)}Q${num(x + bend)} ${num(y - bend)} ${num(x + r)} ${num(y)}Q${num(x + bend)} ${num(y + bend)} ${num(x)} ${num(y + r)}Q${num(x - bend)} ${num(y + bend)} ${num(x - r)} ${num(y)}Q${num(x - bend)} ${num(y - bend)} ${num(x)} ${num(y - r)}Z`;
};

function paintShootingStar(canvas: Canvas, mood: Mood, random: Random): void {
  const { width, height, unit } = canvas;
  const x = width * random.between(0.15, 0.75);
  const y = height * random.between(0.08, 0.25);
  const length = unit * random.between(0.14, 0.22);
  const trail = canvas.linear(
    [
      [0, mood.light, 0],
      [1, mood.light, 0.95],
    ],
    [0, 0, 1, 0],
  );
  canvas.add(
    `<path d="M0 0L${num(length)} ${num(-unit * 0.002)}V${num(unit * 0.002)}Z" fill="${trail}" transform="translate(${num(x)} ${num(y)}) rotate(${num(random.between(18, 34))})"/>`,
  );
}

function paintHills(canvas: Canvas, mood: Mood, random: Random): void {
  const { width, height, unit } = canvas;
  for (let layer = 0; layer < 3; layer++) {
    const noise = createNoise(random);
    const points = Array.from({ length: 81 }, (_, step): Point => {
      const share = step / 80;
      const rise = unit * (0.2 - layer * 0.055) + unit * 0.07 * noise(share * (width / unit) * 2.4, 3);
      return [share * width, height - rise];
    });
    const color = mix(mix(mood.far, mood.sky[2], 0.25), mood.near, layer / 2.2);
    const fill = canvas.linear([
      [0, color],
      [1, lighten(color, -0.05)],
    ]);
    canvas.add(`<path d="${polyline(points)}V${height}H0Z" fill="${fill}"/>`);
  }
}
