import { type Canvas, num } from './canvas.ts';
import { hex, type Lch, lighten, mix } from './color.ts';
import { HAIRSTYLES, type Hairstyle, type HairTone } from './hairstyles.ts';
import type { Mood } from './mood.ts';
import { wordsMatch } from './prompt-words.ts';
import type { Random } from './random.ts';

const SKINS: readonly Lch[] = [
  [0.91, 0.04, 52],
  [0.875, 0.055, 56],
  [0.82, 0.07, 58],
  [0.72, 0.085, 55],
  [0.59, 0.08, 50],
  [0.48, 0.065, 46],
];

const HAIRS: readonly Lch[] = [
  [0.22, 0.02, 300],
  [0.28, 0.035, 45],
  [0.36, 0.06, 50],
  [0.5, 0.09, 55],
  [0.55, 0.12, 42],
  [0.76, 0.09, 82],
];

/** Paints a calm person, head and shoulders, in flat shapes. The words of the prompt choose woman or man. */
export function paintPortrait(
  canvas: Canvas,
  mood: Mood,
  random: Random,
  backdrop: boolean,
  prompt: string,
): void {
  const { width, height, unit } = canvas;
  const feminine = wordsMatch('feminine', prompt) || (!wordsMatch('masculine', prompt) && random.chance(0.5));
  const skin = random.pick(SKINS);
  const dark = skin[0] < 0.65;
  const natural = random.pick(dark ? HAIRS.slice(0, 3) : HAIRS);
  const hair = random.chance(0.2) ? mix(natural, mood.pops[3], 0.7) : natural;
  const style = random.pick(
    HAIRSTYLES.filter((each) => each.feminine === feminine || each.feminine === null),
  );
  const scale = unit / (random.between(760, 820) + (height > width ? 40 : 0));
  const centreY = Math.max(height * 0.43, height - 820 * scale);
  if (backdrop) paintBackdrop(canvas, mood, random, centreY);
  canvas.add(
    `<g transform="translate(${num(width / 2)} ${num(centreY)}) scale(${Math.round(scale * 1000) / 1000})">`,
  );
  const tone = toneOf(canvas, hair);
  canvas.add(style.back(tone));
  canvas.add(`<g transform="translate(0 ${feminine ? -36 : -18})">`);
  paintBody(canvas, mood, random, skin, feminine);
  canvas.add('</g>');
  paintFace(canvas, random, skin, {
    hair,
    feminine,
    lips: mix(skin, [0.56, 0.15, 20], feminine ? 0.62 : 0.28),
  });
  canvas.add(style.front(tone));
  if (feminine && random.chance(0.55)) paintEarrings(canvas, mood, style);
  canvas.add('</g>');
}

function toneOf(canvas: Canvas, hair: Lch): HairTone {
  return {
    base: canvas.linear([
      [0, lighten(hair, 0.05)],
      [1, lighten(hair, -0.02)],
    ]),
    shade: canvas.linear([
      [0, lighten(hair, -0.03)],
      [1, lighten(hair, -0.07)],
    ]),
    gloss: hex(lighten(hair, 0.13)),
  };
}

function paintBackdrop(canvas: Canvas, mood: Mood, random: Random, centreY: number): void {
  const { width, height, unit } = canvas;
  const ground = mood.night ? mood.sky[1] : mix(mood.paper, mood.sky[1], 0.55);
  canvas.backdrop(
    canvas.linear([
      [0, lighten(ground, 0.03)],
      [1, mix(ground, mood.pops[1], 0.25)],
    ]),
  );
  const halo = mix(mood.pops[random.pick([0, 1, 4] as const)], mood.paper, mood.night ? 0.15 : 0.35);
  const x = width / 2 + unit * random.between(-0.05, 0.05);
  const fill = canvas.linear([
    [0, lighten(halo, 0.03)],
    [1, mix(halo, ground, 0.45)],
  ]);
  canvas.add(`<circle cx="${num(x)}" cy="${num(centreY)}" r="${num(unit * 0.37)}" fill="${fill}"/>`);
  const leaf = hex(mix(mood.pops[3], mood.paper, mood.night ? 0.2 : 0.25));
  for (const side of [-1, 1]) {
    if (!random.chance(0.75)) continue;
    const rootX = width / 2 + side * unit * 0.4;
    const blades = Array.from({ length: 7 }, (_, blade) => {
      const angle = side * (-52 + blade * 19);
      const size = unit * (0.3 - 0.035 * Math.abs(blade - 2.5));
      return `<path transform="rotate(${num(angle)})" d="M0 0C${num(size * 0.16)} ${num(-size * 0.3)} ${num(size * 0.13)} ${num(-size * 0.75)} 0 ${num(-size)}C${num(-size * 0.13)} ${num(-size * 0.75)} ${num(-size * 0.16)} ${num(-size * 0.3)} 0 0Z"/>`;
    });
    canvas.add(
      `<g fill="${leaf}" opacity=".75" transform="translate(${num(rootX)} ${num(height - unit * 0.1)})">${blades.join('')}</g>`,
    );
  }
}

function paintBody(canvas: Canvas, mood: Mood, random: Random, skin: Lch, feminine: boolean): void {
  const cloth = random.pick([mood.pops[0], mood.pops[2], mood.pops[3], mood.ink]);
  const broad = feminine ? 0.86 : 1.06;
  const fill = canvas.linear([
    [0, lighten(cloth, 0.04)],
    [0.25, cloth],
    [1, lighten(cloth, -0.08)],
  ]);
  const neck = feminine ? 43 : 56;
  canvas.add(
    `<path d="M${-neck} 90V225C${-neck} 262 ${-neck * 2.4} 280 -190 300L0 400L190 300C${neck * 2.4} 280 ${neck} 262 ${neck} 225V90Z" fill="${hex(lighten(skin, -0.02))}"/>` +
      `<path d="M${-neck} 150C-30 212 40 212 ${neck} 150V196C30 236 -30 232 ${-neck} 188Z" fill="${hex(lighten(skin, -0.09))}" opacity=".75"/>`,
  );
  const collars = [
    'C-62 262 -40 330 0 330C40 330 62 262 62 236',
    'L-52 250L0 372L52 250L62 236',
    'C-60 268 -40 284 0 284C40 284 60 268 62 236',
  ];
  const [near, far] = [num(200 * broad), num(300 * broad)];
  const shoulders =
    `M-62 236${random.pick(collars)}C96 262 ${near} 268 ${num(262 * broad)} 322C${far} 362 ${num(330 * broad)} 470 ${num(345 * broad)} 2400H${num(-345 * broad)}` +
    `C${num(-330 * broad)} 470 -${far} 362 ${num(-262 * broad)} 322C-${near} 268 -96 262 -62 236Z`;
  canvas.add(`<path d="${shoulders}" fill="${fill}"/>`);
}

type Features = { hair: Lch; feminine: boolean; lips: Lch };

function paintFace(canvas: Canvas, random: Random, skin: Lch, { hair, feminine, lips }: Features): void {
  const jaw = feminine ? 62 : 86;
  const shade = hex(lighten(skin, -0.1));
  const fill = canvas.linear(
    [
      [0, lighten(skin, 0.02)],
      [0.6, skin],
      [1, lighten(skin, -0.04)],
    ],
    [0.2, 0, 0.8, 1],
  );
  canvas.add(
    `<ellipse cx="-128" cy="8" rx="22" ry="32" fill="${hex(lighten(skin, -0.03))}"/><ellipse cx="128" cy="8" rx="22" ry="32" fill="${hex(lighten(skin, -0.05))}"/>` +
      `<path d="M-128 -40C-128 -175 128 -175 128 -40C130 70 ${jaw} 166 0 168C${-jaw} 166 -130 70 -128 -40Z" fill="${fill}"/>`,
  );
  const blush = mix(skin, [0.66, 0.16, 22], 0.7);
  for (const x of [-74, 74])
    canvas.glow(x, 52, 46, blush, (feminine ? 0.42 : 0.24) * Math.min(1, skin[0] + 0.1));
  const line = hex(mix(lighten(hair, -0.05), [0.25, 0.03, 40], 0.6));
  const brow = feminine ? 7 : 11;
  canvas.add(
    `<path d="M-82 -44Q-56 -62 -28 -48M82 -44Q56 -62 28 -48" fill="none" stroke="${line}" stroke-width="${brow}" stroke-linecap="round" opacity=".85"/>`,
  );
  canvas.add(random.chance(0.45) ? closedEyes(line, feminine) : openEyes(line, feminine, random));
  canvas.add(
    `<path d="M3 -8C-2 18 -12 38 -10 45C-6 53 6 53 13 48" fill="none" stroke="${shade}" stroke-width="5.5" stroke-linecap="round" stroke-linejoin="round"/>`,
  );
  const [low, high] = [hex(lips), hex(lighten(lips, -0.07))];
  canvas.add(
    feminine
      ? `<path d="M-37 86C-22 86 -11 82 0 88C11 82 22 86 37 86C20 102 -20 102 -37 86Z" fill="${high}"/><path d="M-37 86C-20 101 20 101 37 86C26 119 -26 119 -37 86Z" fill="${low}"/>`
      : `<path d="M-34 92Q0 117 34 92" fill="none" stroke="${high}" stroke-width="7" stroke-linecap="round"/>`,
  );
}

function closedEyes(line: string, feminine: boolean): string {
  const lashes = feminine ? 'M-84 4L-92 10M-76 11L-83 19M84 4L92 10M76 11L83 19' : '';
  return `<path d="M-82 -2Q-56 24 -30 2M82 -2Q56 24 30 2${lashes}" fill="none" stroke="${line}" stroke-width="6" stroke-linecap="round"/>`;
}

function openEyes(line: string, feminine: boolean, random: Random): string {
  const iris = hex(
    random.pick<Lch>([
      [0.4, 0.06, 50],
      [0.45, 0.06, 150],
      [0.5, 0.08, 240],
      [0.3, 0.04, 45],
    ]),
  );
  const eye = (side: number) =>
    `<path d="M${side * 84} 2Q${side * 58} -28 ${side * 30} 6Q${side * 58} 18 ${side * 84} 2Z" fill="#fffdf9"/><circle cx="${side * 57}" cy="-2" r="13.5" fill="${iris}"/><circle cx="${side * 57}" cy="-2" r="7" fill="#1d1716"/><circle cx="${side * 57 - 5}" cy="-7" r="4" fill="#fff"/>` +
    `<path d="M${side * (feminine ? 92 : 84)} ${feminine ? -5 : 1}Q${side * 58} -31 ${side * 30} 5" fill="none" stroke="${line}" stroke-width="${feminine ? 7 : 5.5}" stroke-linecap="round"/>`;
  return eye(-1) + eye(1);
}

function paintEarrings(canvas: Canvas, mood: Mood, style: Hairstyle): void {
  if (style.coversEars) return;
  const gold = hex(mix([0.83, 0.12, 85], mood.pops[1], 0.3));
  canvas.add(
    `<g fill="none" stroke="${gold}" stroke-width="6"><circle cx="-131" cy="58" r="19"/><circle cx="131" cy="58" r="19"/></g>`,
  );
}
