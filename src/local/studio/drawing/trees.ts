import { type Canvas, num, type Point, polyline } from './canvas.ts';
import { lighten } from './color.ts';
import type { Mood } from './mood.ts';
import { createNoise, type Random } from './random.ts';

/** Paints a near slope with pines, densest at one side so that the view stays open. */
export function paintPines(canvas: Canvas, mood: Mood, random: Random, bottom: number): void {
  const { width, height, unit } = canvas;
  const noise = createNoise(random);
  const fromLeft = random.chance(0.5);
  const slope = (share: number) => {
    const near = fromLeft ? 1 - share : share;
    return bottom - height * 0.028 - unit * 0.11 * near ** 2.2 - unit * 0.016 * noise(share * 5, 2);
  };
  const ground = Array.from({ length: 61 }, (_, step): Point => [(step / 60) * width, slope(step / 60)]);
  const trees: string[] = [];
  const count = Math.round(26 * Math.sqrt(width / unit));
  for (let index = 0; index < count; index++) {
    const share = random.next() ** 2.1;
    const place = fromLeft ? share : 1 - share;
    const size = unit * random.between(0.07, 0.2) * (1.12 - share * 0.75);
    trees.push(pine(random, place * width, slope(place) + size * 0.05, size));
  }
  const fill = canvas.linear([
    [0, lighten(mood.near, 0.015)],
    [1, lighten(mood.near, -0.05)],
  ]);
  canvas.add(
    `<path d="${polyline(ground)}L${width} ${num(bottom + 2)}L0 ${num(bottom + 2)}Z${trees.join('')}" fill="${fill}"/>`,
  );
}

/** Returns the outline of one conifer at (x, y): uneven tiers that widen downwards. */
function pine(random: Random, x: number, y: number, size: number): string {
  const tiers = random.whole(6, 8);
  const reach = size * random.between(0.15, 0.21);
  const left: Point[] = [];
  const right: Point[] = [];
  for (let tier = 1; tier <= tiers; tier++) {
    const share = tier / tiers;
    const tierY = y - size + size * 0.94 * share;
    const outer = reach * share ** 0.9;
    const rise = (size / tiers) * 0.32;
    left.push([x - outer * random.between(0.82, 1.12), tierY], [x - outer * 0.45, tierY - rise]);
    right.push([x + outer * random.between(0.82, 1.12), tierY], [x + outer * 0.45, tierY - rise]);
  }
  const trunk: Point[] = [
    [x + size * 0.014, y],
    [x - size * 0.014, y],
  ];
  return `${polyline([[x, y - size * 1.04], ...right, ...trunk, ...left.reverse()])}Z`;
}
