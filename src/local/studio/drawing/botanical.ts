import { type Canvas, num, type Point } from './canvas.ts';
import { hex, type Lch, lighten, mix } from './color.ts';
import type { Mood } from './mood.ts';
import type { Random } from './random.ts';

/** Paints leaves, flowers and berries in a vase, in front of a paper arch. */
export function paintBotanical(canvas: Canvas, mood: Mood, random: Random, backdrop: boolean): void {
  const { width, height, unit } = canvas;
  const base: Point = [width / 2, height - unit * 0.31];
  if (backdrop) paintBackdrop(canvas, mood, random);
  const greens = leafColors(mood);
  const stems = random.whole(8, 11);
  const kinds = random.shuffle(
    Array.from({ length: stems }, (_, stem) => STEM_KINDS[stem % STEM_KINDS.length] ?? 0),
  );
  const submit = random.shuffle(kinds.map((kind, place) => ({ kind, place })));
  const reach = Math.min(height - unit * 0.42, unit * 0.58, width * 0.62);
  // Flowers and berries are painted last, because leaves would hide them.
  for (const { kind, place } of submit.sort(
    (left, right) => Number(left.kind > 2) - Number(right.kind > 2),
  )) {
    const lean = ((place + 0.5) / stems - 0.5) * 2;
    const angle = lean * 1.12 + random.between(-0.07, 0.07);
    const length = reach * (1 - 0.34 * Math.abs(lean)) * random.between(0.82, 1.08);
    paintStem(canvas, mood, random, { kind, base, angle, length, color: random.pick(greens) });
  }
  paintVase(canvas, mood, random, base);
}

function paintBackdrop(canvas: Canvas, mood: Mood, random: Random): void {
  const { width, height, unit } = canvas;
  canvas.backdrop(
    canvas.linear([
      [0, mood.paper],
      [1, mix(mood.paper, mood.sky[1], mood.night ? 0.5 : 0.25)],
    ]),
  );
  const archWidth = unit * random.between(0.34, 0.4);
  const top = height * 0.12 + archWidth;
  const tint = mix(mood.paper, mood.night ? mood.pops[1] : mood.pops[random.pick([0, 1] as const)], 0.42);
  const fill = canvas.linear([
    [0, lighten(tint, 0.015)],
    [1, mix(tint, mood.paper, 0.4)],
  ]);
  const left = width / 2 - archWidth;
  const tableY = height - unit * 0.12;
  canvas.add(
    `<path d="M${num(left)} ${num(tableY)}V${num(top)}a${num(archWidth)} ${num(archWidth)} 0 0 1 ${num(archWidth * 2)} 0V${num(tableY)}Z" fill="${fill}"/>`,
  );
  const sun = { x: width / 2 + archWidth * random.between(-0.5, 0.5), y: top + archWidth * 0.05 };
  canvas.add(
    `<circle cx="${num(sun.x)}" cy="${num(sun.y)}" r="${num(archWidth * 0.42)}" fill="${hex(mix(mood.paper, mood.light, 0.6))}" opacity=".75"/>`,
  );
  const table = mood.night ? mix(mood.paper, mood.pops[3], 0.4) : mix(mood.paper, mood.pops[0], 0.5);
  canvas.add(`<rect y="${num(tableY)}" width="${width}" height="${num(unit * 0.12)}" fill="${hex(table)}"/>`);
}

function leafColors(mood: Mood): Lch[] {
  const green: Lch = [0.55, 0.075, mood.name === 'ink' ? 90 : 150];
  const calm: Lch = mood.name === 'ink' ? [0.4, 0.008, 90] : green;
  return [
    mix(calm, mood.near, 0.25),
    mix(lighten(calm, 0.12), mood.pops[4], 0.25),
    mix(lighten(calm, 0.05), mood.pops[0], 0.15),
    mix(lighten(calm, -0.1), mood.pops[3], 0.35),
  ];
}

/** 0 to 2 are leaves of three shapes, 3 a flower, 4 berries. */
const STEM_KINDS = [0, 3, 1, 2, 3, 4, 0];

type Stem = { kind: number; base: Point; angle: number; length: number; color: Lch };

function paintStem(
  canvas: Canvas,
  mood: Mood,
  random: Random,
  { kind, base, angle, length, color }: Stem,
): void {
  const { unit } = canvas;
  const bend = angle * 0.5;
  const at = (share: number): Point => {
    const heading = angle * 0.45 + bend * share;
    return [base[0] + Math.sin(heading) * length * share, base[1] - Math.cos(heading) * length * share];
  };
  const [mx, my] = at(0.5);
  const [tx, ty] = at(1);
  const control: Point = [2 * mx - (base[0] + tx) / 2, 2 * my - (base[1] + ty) / 2];
  canvas.add(
    `<path d="M${num(base[0])} ${num(base[1] + unit * 0.03)}Q${num(control[0])} ${num(control[1])} ${num(tx)} ${num(ty)}" fill="none" stroke="${hex(lighten(color, -0.1))}" stroke-width="${num(unit * 0.005)}" stroke-linecap="round"/>`,
  );
  const heading = ((angle * 0.45 + bend) * 180) / Math.PI;
  if (kind <= 2) {
    const broad = [0.3, 0.17, 0.46][kind] ?? 0.3;
    const pairs = [6, 9, 5][kind] ?? 6;
    const leaf = length * ([0.3, 0.28, 0.2][kind] ?? 0.3);
    for (let pair = 0; pair < pairs; pair++) {
      const share = 0.36 + (0.6 * pair) / (pairs - 1);
      const size = leaf * (1.12 - 0.62 * Math.abs(share - 0.55) * 1.6);
      for (const side of [-1, 1]) {
        paintLeaf(canvas, at(share), heading * share + side * (58 - 22 * share), size, broad, color);
      }
    }
    paintLeaf(canvas, [tx, ty], heading, leaf * 0.75, broad, color);
    return;
  }
  for (const [share, side] of [
    [0.4, -1],
    [0.52, 1],
    [0.66, -1],
  ] as const) {
    paintLeaf(canvas, at(share), heading * share + side * 52, length * 0.2, 0.34, color);
  }
  if (kind === 3) paintFlower(canvas, mood, random, [tx, ty], unit * random.between(0.055, 0.085));
  else paintBerries(canvas, mood, random, at, unit);
}

/** Paints one leaf: two halves in two tones and a midrib, from `from` towards `heading` degrees (0 = up). */
function paintLeaf(
  canvas: Canvas,
  from: Point,
  heading: number,
  size: number,
  broad: number,
  color: Lch,
): void {
  const w = size * broad;
  const edge = (side: number) =>
    `M0 0C${num(side * w)} ${num(-size * 0.25)} ${num(side * w * 0.85)} ${num(-size * 0.72)} 0 ${num(-size)}Z`;
  canvas.add(
    `<g transform="translate(${num(from[0])} ${num(from[1])}) rotate(${num(heading)})"><path d="${edge(1)}" fill="${hex(color)}"/><path d="${edge(-1)}" fill="${hex(lighten(color, 0.055))}"/>` +
      `<path d="M0 0V${num(-size * 0.9)}" stroke="${hex(lighten(color, -0.09))}" stroke-width="${num(Math.max(0.6, size * 0.018))}" opacity=".6"/></g>`,
  );
}

function paintFlower(canvas: Canvas, mood: Mood, random: Random, [x, y]: Point, size: number): void {
  const petals = random.whole(6, 9);
  const color = random.pick([mood.pops[0], mood.pops[1], mood.pops[4], mood.light]);
  const ring = (count: number, reach: number, tone: Lch, offset: number) =>
    Array.from({ length: count }, (_, petal) => {
      const angle = (petal * 360) / count + offset;
      return `<path transform="rotate(${num(angle)})" d="M0 0C${num(reach * 0.62)} ${num(-reach * 0.35)} ${num(reach * 0.42)} ${num(-reach * 1.05)} 0 ${num(-reach)}C${num(-reach * 0.42)} ${num(-reach * 1.05)} ${num(-reach * 0.62)} ${num(-reach * 0.35)} 0 0Z" fill="${hex(tone)}"/>`;
    }).join('');
  canvas.add(
    `<g transform="translate(${num(x)} ${num(y)})">${ring(petals, size, color, random.between(0, 40))}${ring(petals, size * 0.66, lighten(color, 0.06), 20)}` +
      `<circle r="${num(size * 0.25)}" fill="${hex(mix(mood.pops[1], mood.near, 0.25))}"/><circle r="${num(size * 0.14)}" fill="${hex(lighten(mood.pops[1], 0.06))}"/></g>`,
  );
}

function paintBerries(
  canvas: Canvas,
  mood: Mood,
  random: Random,
  at: (share: number) => Point,
  unit: number,
): void {
  const color = random.pick([mood.pops[0], mood.pops[2], mood.pops[4]]);
  for (let berry = 0; berry < 11; berry++) {
    const [x, y] = at(0.68 + 0.034 * berry);
    const side = berry % 2 === 0 ? -1 : 1;
    const radius = unit * random.between(0.009, 0.014);
    const bx = x + side * unit * (0.03 - berry * 0.002);
    const by = y - unit * 0.006;
    canvas.add(
      `<path d="M${num(x)} ${num(y + unit * 0.012)}L${num(bx)} ${num(by)}" stroke="${hex(mood.near)}" stroke-width="${num(unit * 0.002)}" opacity=".6"/>` +
        `<circle cx="${num(bx)}" cy="${num(by)}" r="${num(radius)}" fill="${hex(color)}"/><circle cx="${num(bx - radius * 0.3)}" cy="${num(by - radius * 0.35)}" r="${num(radius * 0.28)}" fill="#fff" opacity=".45"/>`,
    );
  }
}

function paintVase(canvas: Canvas, mood: Mood, random: Random, [x, y]: Point): void {
  const { unit } = canvas;
  const color = mix(mood.pops[random.pick([2, 3] as const)], mood.paper, mood.night ? 0.1 : 0.18);
  const fill = canvas.linear(
    [
      [0, lighten(color, -0.03)],
      [0.3, lighten(color, 0.07)],
      [1, lighten(color, -0.09)],
    ],
    [0, 0, 1, 0],
  );
  const shapes = [
    'M-.3 0C-.34 .3 -.95 .5 -.95 1.15C-.95 1.75 -.6 2 -.5 2H.5C.6 2 .95 1.75 .95 1.15C.95 .5 .34 .3 .3 0Z',
    'M-.62 0C-.5 .5 -.72 1.2 -.46 2H.46C.72 1.2 .5 .5 .62 0Z',
    'M-.26 0V.5C-.3 .75 -1 .85 -1 1.4C-1 1.85 -.7 2 -.55 2H.55C.7 2 1 1.85 1 1.4C1 .85 .3 .75 .26 0Z',
  ];
  const scale = unit * 0.118;
  const transform = `translate(${num(x)} ${num(y)}) scale(${num(scale)})`;
  canvas.add(
    `<ellipse cx="${num(x)}" cy="${num(y + scale * 2)}" rx="${num(scale * 1.15)}" ry="${num(scale * 0.14)}" fill="${hex(mood.near)}" opacity=".22"/>` +
      `<path transform="${transform}" d="${random.pick(shapes)}" fill="${fill}"/>` +
      `<ellipse cx="${num(x)}" cy="${num(y)}" rx="${num(scale * 0.32)}" ry="${num(scale * 0.05)}" fill="${hex(lighten(color, -0.16))}"/>`,
  );
}
