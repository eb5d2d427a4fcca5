import { type Canvas, num } from './canvas.ts';
import { hex, type Lch, lighten, mix } from './color.ts';
import type { Mood } from './mood.ts';
import { wordsMatch } from './prompt-words.ts';
import type { Random } from './random.ts';

type Kind = {
  name: 'cat' | 'dog' | 'fox' | 'bear' | 'panda' | 'rabbit';
  coats: readonly Lch[];
  /** Returns both ears in the outer and the inner color. The head spans x -170..170, y -140..150. */
  ears(outer: string, inner: string): string;
};

const both = (d: string, paint: string) =>
  `<path d="${d}" fill="${paint}"/><path d="${d}" fill="${paint}" transform="scale(-1 1)"/>`;

const pointed = (outer: string, inner: string) =>
  both('M-158 -30C-176 -130 -176 -200 -160 -228C-110 -214 -60 -170 -30 -122Z', outer) +
  both('M-140 -70C-152 -130 -152 -170 -146 -194C-112 -180 -84 -156 -62 -126Z', inner);
const round = (outer: string, inner: string) =>
  both('M-180 -120A62 62 0 1 1 -60 -132L-150 -60Z', outer) +
  both('M-158 -122A38 38 0 1 1 -86 -130L-140 -84Z', inner);
const floppy = (outer: string) =>
  both('M-120 -128C-190 -150 -236 -90 -226 -8C-222 50 -196 88 -174 74C-150 56 -150 -20 -132 -70Z', outer);
const long = (outer: string, inner: string) =>
  both('M-130 -96C-170 -210 -168 -340 -118 -352C-66 -356 -40 -240 -36 -122Z', outer) +
  both('M-112 -124C-138 -210 -136 -306 -112 -314C-84 -316 -68 -230 -66 -132Z', inner);

const KINDS: readonly Kind[] = [
  {
    name: 'cat',
    ears: pointed,
    coats: [
      [0.78, 0.1, 65],
      [0.62, 0.015, 260],
      [0.9, 0.03, 80],
      [0.36, 0.02, 280],
    ],
  },
  {
    name: 'fox',
    ears: pointed,
    coats: [
      [0.68, 0.15, 50],
      [0.72, 0.14, 58],
    ],
  },
  {
    name: 'dog',
    ears: floppy,
    coats: [
      [0.75, 0.08, 70],
      [0.55, 0.07, 55],
      [0.88, 0.035, 80],
    ],
  },
  {
    name: 'bear',
    ears: round,
    coats: [
      [0.5, 0.07, 55],
      [0.62, 0.08, 60],
      [0.93, 0.012, 80],
    ],
  },
  { name: 'panda', ears: round, coats: [[0.96, 0.008, 85]] },
  {
    name: 'rabbit',
    ears: long,
    coats: [
      [0.93, 0.012, 60],
      [0.8, 0.04, 60],
      [0.72, 0.01, 260],
    ],
  },
];

/** Paints a friendly animal that looks at the viewer, in flat shapes. The words of the prompt choose the animal. */
export function paintAnimal(
  canvas: Canvas,
  mood: Mood,
  random: Random,
  backdrop: boolean,
  prompt: string,
): void {
  const { width, height, unit } = canvas;
  const named = KINDS.filter(({ name }) => wordsMatch(name, prompt));
  const wanted = named.filter(
    ({ name }) => !(name === 'bear' && named.some((other) => other.name === 'panda')),
  );
  const kind = random.pick(wanted.length > 0 ? wanted : KINDS);
  const coat = random.pick(kind.coats);
  const scale = unit / (kind.name === 'rabbit' ? 900 : 760);
  const centreY = height * (kind.name === 'rabbit' ? 0.54 : 0.47);
  if (backdrop) paintBackdrop(canvas, mood, random, centreY);
  canvas.add(
    `<g transform="translate(${num(width / 2)} ${num(centreY)}) scale(${Math.round(scale * 1000) / 1000})">`,
  );
  paintBody(canvas, mood, kind, coat);
  const black: Lch = [0.27, 0.015, 280];
  const outer = kind.name === 'panda' ? black : lighten(coat, -0.04);
  const inner = kind.name === 'panda' ? black : mix(coat, [0.8, 0.07, 20], 0.6);
  canvas.add(kind.ears(hex(outer), hex(inner)));
  paintHead(canvas, kind, coat);
  paintFeatures(canvas, random, kind, coat);
  canvas.add('</g>');
}

function paintBackdrop(canvas: Canvas, mood: Mood, random: Random, centreY: number): void {
  const { width, unit } = canvas;
  const ground = mood.night ? mood.sky[1] : mix(mood.paper, mood.sky[1], 0.6);
  canvas.backdrop(
    canvas.linear([
      [0, ground],
      [1, mix(ground, mood.pops[0], 0.25)],
    ]),
  );
  const halo = mix(mood.pops[random.pick([1, 4] as const)], mood.paper, mood.night ? 0.2 : 0.4);
  canvas.add(
    `<circle cx="${num(width / 2)}" cy="${num(centreY)}" r="${num(unit * 0.39)}" fill="${hex(halo)}"/>`,
  );
  for (let index = 0; index < 26; index++) {
    const angle = random.between(0, Math.PI * 2);
    const reach = unit * random.between(0.43, 0.8);
    const tint = hex(mix(random.pick(mood.pops), mood.paper, 0.3));
    canvas.add(
      `<circle cx="${num(width / 2 + (Math.cos(angle) * reach * width) / unit)}" cy="${num(centreY + Math.sin(angle) * reach)}" r="${num(unit * random.between(0.004, 0.014))}" fill="${tint}" opacity=".8"/>`,
    );
  }
}

function paintBody(canvas: Canvas, mood: Mood, kind: Kind, coat: Lch): void {
  const body = kind.name === 'panda' ? ([0.27, 0.015, 280] as const) : lighten(coat, -0.05);
  const fill = canvas.linear([
    [0, lighten(body, -0.06)],
    [0.1, body],
    [1, lighten(body, -0.04)],
  ]);
  canvas.add(
    `<path d="M-120 90C-220 160 -262 300 -268 460V2400H268V460C262 300 220 160 120 90Z" fill="${fill}"/>`,
  );
  const chest = hex(kind.name === 'panda' ? coat : mix(coat, [0.97, 0.015, 80], 0.75));
  canvas.add(`<path d="M-92 120C-130 260 -96 400 0 470C96 400 130 260 92 120Z" fill="${chest}"/>`);
  const scarf = mood.pops[2];
  canvas.add(
    `<path d="M-150 118C-80 178 80 178 150 118C172 140 176 166 166 186C90 236 -90 236 -166 186C-176 166 -172 140 -150 118Z" fill="${hex(scarf)}"/>` +
      `<path d="M58 190L132 176C146 230 150 280 142 336L72 344C76 290 72 240 58 190Z" fill="${hex(lighten(scarf, -0.06))}"/>`,
  );
}

function paintHead(canvas: Canvas, kind: Kind, coat: Lch): void {
  const fill = canvas.linear([
    [0, lighten(coat, 0.035)],
    [1, lighten(coat, -0.02)],
  ]);
  const outline =
    'M0 -142C110 -142 178 -70 178 18C178 104 96 152 0 152C-96 152 -178 104 -178 18C-178 -70 -110 -142 0 -142Z';
  canvas.add(`<path d="${outline}" fill="${fill}"/>`);
  const pale = hex(mix(coat, [0.98, 0.012, 80], 0.8));
  if (kind.name === 'fox') {
    canvas.add(both('M0 40C-40 -10 -110 -20 -176 40C-160 110 -90 150 0 152Z', pale));
  } else if (kind.name === 'panda') {
    canvas.add(
      both('M-40 -30C-60 -62 -112 -50 -122 -4C-128 36 -96 52 -70 36C-46 20 -28 -6 -40 -30Z', '#36343b'),
    );
  } else {
    canvas.add(`<ellipse cx="0" cy="74" rx="84" ry="62" fill="${pale}" opacity=".9"/>`);
  }
  if (kind.name === 'cat') {
    const stripe = hex(lighten(coat, -0.13));
    canvas.add(
      `<g fill="none" stroke="${stripe}" stroke-width="13" stroke-linecap="round" opacity=".75"><path d="M0 -128V-86M-36 -122L-30 -88M36 -122L30 -88M-168 40L-134 36M168 40L134 36M-160 74L-130 64M160 74L130 64"/></g>`,
    );
  }
  if (kind.name === 'dog') {
    canvas.add(
      `<ellipse cx="72" cy="-14" rx="56" ry="62" fill="${hex(lighten(coat, -0.13))}" opacity=".7" transform="rotate(12 72 -14)"/>`,
    );
  }
}

function paintFeatures(canvas: Canvas, random: Random, kind: Kind, coat: Lch): void {
  const iris =
    kind.name === 'cat'
      ? hex(
          random.pick<Lch>([
            [0.75, 0.12, 125],
            [0.78, 0.12, 80],
            [0.7, 0.09, 220],
          ]),
        )
      : '#3b2a22';
  const eye = (x: number) =>
    `<circle cx="${x}" cy="-4" r="27" fill="${iris}"/><ellipse cx="${x}" cy="-4" rx="${kind.name === 'cat' ? 14 : 20}" ry="22" fill="#1b1514"/><circle cx="${x - 8}" cy="-14" r="8" fill="#fff"/><circle cx="${x + 8}" cy="6" r="4" fill="#fff" opacity=".7"/>`;
  canvas.add(eye(-72) + eye(72));
  canvas.glow(-112, 58, 40, [0.74, 0.13, 20], 0.4);
  canvas.glow(112, 58, 40, [0.74, 0.13, 20], 0.4);
  const nose = kind.name === 'cat' || kind.name === 'rabbit' ? hex([0.68, 0.11, 15]) : '#2b2322';
  const line = hex(coat[0] < 0.5 ? [0.25, 0.02, 40] : mix(coat, [0.25, 0.03, 40], 0.75));
  canvas.add(
    `<path d="M-24 44C-12 36 12 36 24 44C22 60 8 68 0 70C-8 68 -22 60 -24 44Z" fill="${nose}"/>` +
      `<path d="M0 70V86M0 86C-8 106 -40 106 -46 88M0 86C8 106 40 106 46 88" fill="none" stroke="${line}" stroke-width="6" stroke-linecap="round"/>`,
  );
  if (kind.name === 'bear' || kind.name === 'panda' || kind.name === 'dog') return;
  canvas.add(
    '<path d="M-70 74L-196 56M-70 86L-198 92M70 74L196 56M70 86L198 92" fill="none" stroke="#fff" stroke-width="3.5" stroke-linecap="round" opacity=".75"/>',
  );
}
