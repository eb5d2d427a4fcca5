import { type Canvas, num } from './canvas.ts';
import { hex, type Lch, lighten } from './color.ts';
import type { Mood } from './mood.ts';
import type { Random } from './random.ts';

type Spot = { x: number; y: number };

/** Paints the sky over the whole surface, lightest at the horizon. */
export function paintSky(canvas: Canvas, mood: Mood): void {
  const [top, middle, low] = mood.sky;
  canvas.backdrop(
    canvas.linear([
      [0, top],
      [0.42, middle],
      [0.74, low],
      [1, low],
    ]),
  );
}

/** Paints a disc with a halo. At night the disc is a moon with faint spots. */
export function paintSunOrMoon(canvas: Canvas, mood: Mood, { x, y }: Spot, radius: number): void {
  const isInk = mood.name === 'ink';
  if (!isInk) canvas.glow(x, y, radius * (mood.night ? 4.5 : 6), mood.light, mood.night ? 0.4 : 0.75);
  const fill = isInk
    ? hex(mood.light)
    : canvas.linear([
        [0, lighten(mood.light, 0.02)],
        [1, lighten(mood.light, mood.night ? -0.06 : -0.015)],
      ]);
  canvas.add(`<circle cx="${num(x)}" cy="${num(y)}" r="${num(radius)}" fill="${fill}"/>`);
  if (!mood.night) return;
  const spots = [
    [-0.35, -0.2, 0.2],
    [0.2, 0.3, 0.26],
    [0.38, -0.32, 0.13],
    [-0.15, 0.52, 0.12],
  ] as const;
  const discs = spots.map(
    ([dx, dy, size]) =>
      `<circle cx="${num(x + dx * radius)}" cy="${num(y + dy * radius)}" r="${num(size * radius)}"/>`,
  );
  canvas.add(`<g fill="${hex(lighten(mood.light, -0.16))}" opacity=".28">${discs.join('')}</g>`);
}

/** Paints stars from the top down to `lowest`, fewer and fainter towards it. */
export function paintStars(
  canvas: Canvas,
  mood: Mood,
  random: Random,
  lowest: number,
  density: number,
): void {
  const { width, unit } = canvas;
  const count = Math.min(900, Math.round(density * 260 * ((width * lowest) / unit ** 2)));
  const groups: string[][] = [[], [], []];
  for (let index = 0; index < count; index++) {
    const share = random.next();
    const y = share ** 1.25 * lowest;
    const size = unit * (0.0007 + 0.0018 * random.next() ** 5);
    groups[Math.floor(random.next() * 3 * (1 - share * 0.5))]?.push(
      `<circle cx="${num(random.between(0, width))}" cy="${num(y)}" r="${Math.round(size * 100) / 100}"/>`,
    );
  }
  const fill = hex(lighten(mood.light, 0.03));
  groups.forEach((stars, index) => {
    canvas.add(`<g fill="${fill}" opacity="${num(0.35 + index * 0.3)}">${stars.join('')}</g>`);
  });
}

/** Paints a small flock of birds, two curved strokes each. */
export function paintBirds(canvas: Canvas, color: Lch, random: Random, near: Spot): void {
  const { unit } = canvas;
  const flock = Array.from({ length: random.whole(3, 7) }, () => {
    const span = unit * random.between(0.009, 0.018);
    const x = near.x + unit * random.between(-0.2, 0.2);
    const y = near.y + unit * random.between(-0.06, 0.06);
    const lift = span * random.between(0.45, 0.75);
    return `M${num(x - span)} ${num(y - lift)}q${num(span * 0.62)} ${num(-lift * 0.15)} ${num(span)} ${num(lift)}q${num(span * 0.38)} ${num(-lift * 1.15)} ${num(span)} ${num(-lift)}`;
  });
  canvas.add(
    `<path d="${flock.join('')}" fill="none" stroke="${hex(color)}" stroke-width="${num(unit * 0.0026)}" stroke-linecap="round" stroke-linejoin="round" opacity=".7"/>`,
  );
}
