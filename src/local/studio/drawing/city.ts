import { type Canvas, num } from './canvas.ts';
import { hex, lighten, mix } from './color.ts';
import type { Mood } from './mood.ts';
import type { Random } from './random.ts';
import { paintSky, paintStars, paintSunOrMoon } from './sky-parts.ts';

/** Paints a skyline in three depths with lit windows, above calm water. */
export function paintCity(canvas: Canvas, mood: Mood, random: Random, backdrop: boolean): void {
  const { width, height, unit } = canvas;
  const sun = { x: width * random.between(0.25, 0.75), y: height * random.between(0.22, 0.4) };
  const radius = unit * random.between(0.09, 0.15);
  if (backdrop) {
    paintSky(canvas, mood);
    if (mood.night) paintStars(canvas, mood, random, height * 0.5, 0.8);
  }
  paintSunOrMoon(canvas, mood, sun, radius);
  const shoreY = height * 0.84;
  for (let layer = 0; layer < 3; layer++) paintBlock(canvas, mood, random, layer, shoreY);
  const water = canvas.linear([
    [0, mix(mood.near, mood.sky[2], 0.3)],
    [1, mix(mood.near, mood.sky[0], 0.3)],
  ]);
  canvas.add(`<rect y="${num(shoreY)}" width="${width}" height="${num(height - shoreY)}" fill="${water}"/>`);
  paintReflections(canvas, mood, random, { shoreY, sunX: sun.x, radius });
}

function paintBlock(canvas: Canvas, mood: Mood, random: Random, layer: number, shoreY: number): void {
  const { width, height, unit } = canvas;
  const depth = layer / 2;
  const color = mix(mix(mood.far, mood.sky[2], 0.25), mood.near, 0.12 + depth * 0.78);
  const fill = canvas.linear([
    [0, color],
    [1, mix(color, mood.sky[2], 0.42 - depth * 0.3)],
  ]);
  const outlines: string[] = [];
  const windows: string[] = [];
  let x = -unit * 0.02;
  while (x < width) {
    const wide = unit * random.between(0.045, 0.1) * (0.8 + depth * 0.5);
    const hill = 0.72 + 0.28 * Math.sin((x / width) * Math.PI);
    const tall = height * random.between(0.13, 0.5 - depth * 0.14) * hill + unit * 0.05;
    const top = shoreY - tall;
    outlines.push(building(random, x, top, wide, shoreY));
    if (layer > 0)
      windows.push(...lights(canvas, random, { x, top, wide, bottom: shoreY }, mood.night ? 0.42 : 0.3));
    x += wide * random.between(0.82, 1.12);
  }
  canvas.add(`<path d="${outlines.join('')}" fill="${fill}"/>`);
  const glow = mood.night || layer === 2 ? mix(mood.light, [0.84, 0.13, 78], 0.6) : lighten(color, 0.14);
  canvas.add(`<path d="${windows.join('')}" fill="${hex(glow)}" opacity="${mood.night ? 0.85 : 0.6}"/>`);
}

/** Returns one tower, clockwise so that overlapping towers stay filled: flat, stepped, slanted, domed or with a mast. */
function building(random: Random, x: number, top: number, wide: number, bottom: number): string {
  const right = x + wide;
  const step = wide * 0.22;
  const roofs = [
    `M${num(x)} ${num(bottom)}V${num(top)}H${num(right)}`,
    `M${num(x)} ${num(bottom)}V${num(top + step)}H${num(x + step)}V${num(top)}H${num(right - step)}V${num(top + step)}H${num(right)}`,
    `M${num(x)} ${num(bottom)}V${num(top + wide * 0.4)}L${num(right)} ${num(top)}`,
    `M${num(x)} ${num(bottom)}V${num(top + wide * 0.5)}A${num(wide / 2)} ${num(wide / 2)} 0 0 1 ${num(right)} ${num(top + wide * 0.5)}`,
    `M${num(x)} ${num(bottom)}V${num(top)}H${num(x + wide * 0.44)}L${num(x + wide * 0.5)} ${num(top - wide * 1.1)}L${num(x + wide * 0.56)} ${num(top)}H${num(right)}`,
  ];
  return `${random.pick(roofs)}V${num(bottom)}Z`;
}

type Box = { x: number; top: number; wide: number; bottom: number };

function lights(canvas: Canvas, random: Random, box: Box, share: number): string[] {
  const pitch = canvas.unit * 0.0135;
  const size = pitch * 0.5;
  const columns = Math.floor((box.wide - pitch * 0.7) / pitch);
  const inset = (box.wide - columns * pitch + pitch - size) / 2;
  const marks: string[] = [];
  for (let y = box.top + box.wide * 0.55; y < box.bottom - pitch; y += pitch * 1.35) {
    for (let column = 0; column < columns; column++) {
      if (!random.chance(share)) continue;
      marks.push(
        `M${num(box.x + inset + column * pitch)} ${num(y)}h${num(size)}v${num(size * 1.4)}h${num(-size)}Z`,
      );
    }
  }
  return marks;
}

type Water = { shoreY: number; sunX: number; radius: number };

function paintReflections(canvas: Canvas, mood: Mood, random: Random, { shoreY, sunX, radius }: Water): void {
  const { width, height, unit } = canvas;
  const depth = height - shoreY;
  const marks: string[] = [];
  for (let index = 0; index < 120; index++) {
    const share = random.next();
    const isSun = index % 3 === 0;
    const length = unit * random.between(0.015, 0.07);
    const x = isSun ? sunX + random.between(-1, 1) * radius * (0.6 + share) : random.between(0, width);
    marks.push(
      `<rect x="${num(x - length / 2)}" y="${num(shoreY + depth * share)}" width="${num(length)}" height="${num(unit * 0.003)}" rx="${num(unit * 0.0015)}" opacity="${num(isSun ? 0.5 : 0.2)}"/>`,
    );
  }
  canvas.add(`<g fill="${hex(mix(mood.light, mood.pops[0], 0.2))}">${marks.join('')}</g>`);
}
