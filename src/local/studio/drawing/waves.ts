import { type Canvas, num, type Point, smoothLine } from './canvas.ts';
import { hex, type Lch, lighten, mix } from './color.ts';
import type { Mood } from './mood.ts';
import { createNoise, type Random } from './random.ts';

/** Paints paper-cut waves with soft shadows under a ringed sun, sometimes with a folded boat between them. */
export function paintWaves(canvas: Canvas, mood: Mood, random: Random, backdrop: boolean): void {
  const { width, height, unit } = canvas;
  if (backdrop) {
    canvas.backdrop(
      canvas.linear([
        [0, mix(mood.paper, mood.sky[1], 0.35)],
        [1, mix(mood.paper, mood.sky[2], 0.6)],
      ]),
    );
  }
  paintRingedSun(canvas, mood, {
    x: width * random.between(0.28, 0.72),
    y: height * random.between(0.24, 0.34),
    radius: unit * random.between(0.13, 0.18),
  });
  const count = random.whole(6, 8);
  const top = height * random.between(0.42, 0.5);
  const boatAt = random.chance(0.6) ? random.whole(1, Math.floor(count / 2)) : -1;
  const colors = waveColors(mood, random, count);
  for (let layer = 0; layer < count; layer++) {
    const base = top + ((height - top) * layer) / (count - 0.35);
    const line = crest(canvas, random, base, 0.5 + layer / count);
    if (layer === boatAt) {
      const seat = line[Math.round(line.length * random.between(0.3, 0.7))] ?? [width / 2, base];
      paintBoat(canvas, mood, seat, unit * 0.1, random);
    }
    paintSheet(canvas, line, colors[layer] ?? mood.near);
  }
}

function paintRingedSun(canvas: Canvas, mood: Mood, sun: { x: number; y: number; radius: number }): void {
  const warm = mood.name === 'ink' ? mood.light : mix(mood.light, [0.83, 0.14, 72], mood.night ? 0.35 : 0.75);
  [1.75, 1.4, 1].forEach((scale, ring) => {
    const radius = sun.radius * scale;
    for (let step = 4; step >= 1; step--) {
      canvas.add(
        `<circle cx="${num(sun.x)}" cy="${num(sun.y + step * canvas.unit * 0.0018)}" r="${num(radius + step * canvas.unit * 0.0012)}" opacity=".03"/>`,
      );
    }
    const fill = mix(mix(mood.paper, mood.sky[2], 0.5), warm, [0.25, 0.5, 1][ring] ?? 1);
    canvas.add(`<circle cx="${num(sun.x)}" cy="${num(sun.y)}" r="${num(radius)}" fill="${hex(fill)}"/>`);
  });
}

function waveColors(mood: Mood, random: Random, count: number): Lch[] {
  const accentAt = random.whole(1, count - 2);
  const accent = random.pick(mood.pops);
  return Array.from({ length: count }, (_, layer) => {
    const depth = layer / (count - 1);
    const base = mix(mix(mood.far, mood.paper, 0.35), mood.near, depth ** 1.1);
    const tinted = mix(base, mood.pops[layer % 2 === 0 ? 0 : 1], 0.28 * (1 - depth));
    return layer === accentAt ? mix(tinted, accent, 0.75) : tinted;
  });
}

function crest(canvas: Canvas, random: Random, base: number, scale: number): Point[] {
  const { width, unit } = canvas;
  const noise = createNoise(random);
  const span = unit * random.between(0.34, 0.5);
  const lift = unit * 0.058 * scale;
  const phase = random.between(0, Math.PI * 2);
  const points: Point[] = [];
  for (let x = -span; x <= width + span; x += span / 6) {
    const swell = Math.sin((x / span) * Math.PI + phase) * (0.75 + 0.35 * noise(x / span / 2));
    points.push([x, base - lift * (swell + 0.8 * noise(x / span / 1.6 + 30))]);
  }
  return points;
}

function paintSheet(canvas: Canvas, line: Point[], color: Lch): void {
  const { width, height, unit } = canvas;
  const path = `${smoothLine(line)}V${height + 10}H${num(-width)}Z`;
  // A few offset copies of the edge replace a blur filter, which would be slow.
  for (let step = 7; step >= 1; step--) {
    const shift = num(-step * unit * 0.0021);
    canvas.add(
      `<path d="${path}" transform="translate(0 ${shift})" opacity="${0.018 + 0.004 * (7 - step)}"/>`,
    );
  }
  const fill = canvas.linear([
    [0, lighten(color, 0.035)],
    [1, lighten(color, -0.03)],
  ]);
  canvas.add(`<path d="${path}" fill="${fill}"/>`);
  const rim = hex(lighten(color, 0.08));
  canvas.add(
    `<path d="${smoothLine(line)}" fill="none" stroke="${rim}" stroke-width="${num(unit * 0.0022)}" opacity=".8"/>`,
  );
}

function paintBoat(canvas: Canvas, mood: Mood, [x, y]: Point, size: number, random: Random): void {
  const tilt = random.between(-7, 7);
  const light = hex(lighten(mood.paper, mood.night ? 0.6 : 0.02));
  const shade = hex(mix(mood.night ? [0.8, 0.03, 90] : mood.paper, mood.pops[0], 0.3));
  const dark = hex(mix(mood.night ? [0.7, 0.04, 90] : mood.paper, mood.pops[0], 0.55));
  canvas.add(
    `<g transform="translate(${num(x)} ${num(y - size * 0.12)}) rotate(${num(tilt)}) scale(${num(size)})">` +
      `<path d="M0 -.95L.42 .02H0Z" fill="${shade}"/><path d="M0 -.95L-.36 .02H0Z" fill="${light}"/>` +
      `<path d="M-.9 -.1L-.5 .38H.5L.9 -.1L.42 .02H-.42Z" fill="${light}"/><path d="M0 .02L.9 -.1L.5 .38H0Z" fill="${dark}"/></g>`,
  );
}
