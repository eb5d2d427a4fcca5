import { type Canvas, num } from './canvas.ts';
import { hex, type Lch, mix } from './color.ts';
import type { Mood } from './mood.ts';
import type { Random } from './random.ts';

/** Paints a poster of quarter circles, arcs, stripes and dots on a grid, with a paper margin. */
export function paintGeometric(canvas: Canvas, mood: Mood, random: Random, backdrop: boolean): void {
  const { width, height, unit } = canvas;
  const margin = unit * 0.06;
  if (backdrop) canvas.backdrop(hex(mood.paper));
  const target = unit / random.whole(3, 5);
  const columns = Math.max(2, Math.round((width - 2 * margin) / target));
  const rows = Math.max(2, Math.round((height - 2 * margin) / target));
  const cellWidth = (width - 2 * margin) / columns;
  const cellHeight = (height - 2 * margin) / rows;
  const colors = [...mood.pops, mood.ink, mix(mood.paper, mood.pops[1], 0.3)];
  const heroes = new Set([random.whole(0, columns * rows - 1), random.whole(0, columns * rows - 1)]);
  let lastGround = -1;
  for (let index = 0; index < columns * rows; index++) {
    const x = margin + (index % columns) * cellWidth;
    const y = margin + Math.floor(index / columns) * cellHeight;
    let groundIndex = random.whole(0, colors.length - 1);
    if (groundIndex === lastGround) groundIndex = (groundIndex + 1) % colors.length;
    lastGround = groundIndex;
    const ground = colors[groundIndex] ?? mood.paper;
    const inks = random.shuffle(colors.filter((_, other) => other !== groundIndex));
    const first = contrasting(inks, ground);
    const second = inks.find((color) => color !== first) ?? mood.ink;
    const draw = heroes.has(index) ? rings : random.pick(TILES);
    const shapes = draw(hex(first), hex(second), random);
    canvas.add(
      `<g transform="translate(${num(x)} ${num(y)}) scale(${num(cellWidth)} ${num(cellHeight)})"><path d="M0 0H1.003V1.003H0Z" fill="${hex(ground)}"/>` +
        `<g transform="rotate(${random.whole(0, 3) * 90} .5 .5)">${shapes}</g></g>`,
    );
  }
}

type Tile = (first: string, second: string, random: Random) => string;

/** Returns the first color with contrast to the ground. */
function contrasting(colors: Lch[], ground: Lch): Lch {
  const apart = ([lightness, chroma, hue]: Lch) =>
    Math.abs(lightness - ground[0]) +
    Math.min(chroma, ground[1]) * Math.abs(Math.sin(((hue - ground[2]) * Math.PI) / 360));
  return colors.find((color) => apart(color) > 0.16) ?? colors[0] ?? ground;
}

const rings: Tile = (first, second) =>
  `<circle cx=".5" cy=".5" r=".42" fill="${first}"/><circle cx=".5" cy=".5" r=".28" fill="${second}"/><circle cx=".5" cy=".5" r=".13" fill="${first}"/>`;

const TILES: readonly Tile[] = [
  (first) => `<path d="M0 0H1A1 1 0 0 1 0 1Z" fill="${first}"/>`,
  (first, second) =>
    `<path d="M0 0H1A1 1 0 0 1 0 1Z" fill="${first}"/><path d="M0 0H.5A.5 .5 0 0 1 0 .5Z" fill="${second}"/>`,
  (first) => `<path d="M0 .5A.5 .5 0 0 1 1 .5Z" fill="${first}"/>`,
  (first, second) =>
    `<path d="M0 .5A.5 .5 0 0 1 1 .5Z" fill="${first}"/><path d="M0 1A.5 .5 0 0 1 1 1Z" fill="${second}"/>`,
  (first) => `<path d="M0 0A1 1 0 0 1 1 1A1 1 0 0 1 0 0Z" fill="${first}"/>`,
  (first, second) =>
    `<path d="M0 0A1 1 0 0 1 1 1A1 1 0 0 1 0 0Z" fill="${first}"/><circle cx=".5" cy=".5" r=".15" fill="${second}"/>`,
  (first) => `<path d="M0 0L1 1H0Z" fill="${first}"/>`,
  (first) => `<circle cx=".5" cy=".5" r=".36" fill="${first}"/>`,
  (first) =>
    `<g fill="${first}">${[0.1, 0.3, 0.5, 0.7, 0.9].map((y) => `<path d="M0 ${y - 0.05}H1V${y + 0.05}H0Z"/>`).join('')}</g>`,
  (first) =>
    `<g fill="${first}">${Array.from({ length: 16 }, (_, dot) => `<circle cx="${0.125 + (dot % 4) * 0.25}" cy="${0.125 + Math.floor(dot / 4) * 0.25}" r=".055"/>`).join('')}</g>`,
  (first, second) =>
    `<g fill="none" stroke-width=".11"><path d="M.85 0A.85 .85 0 0 1 0 .85" stroke="${first}"/><path d="M.6 0A.6 .6 0 0 1 0 .6" stroke="${second}"/><path d="M.35 0A.35 .35 0 0 1 0 .35" stroke="${first}"/></g>`,
  (first, second) =>
    `<path d="M0 0H.5V1H0Z" fill="${first}"/><circle cx=".5" cy=".5" r=".25" fill="${second}"/>`,
];
