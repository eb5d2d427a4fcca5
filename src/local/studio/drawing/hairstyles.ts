import { num } from './canvas.ts';

/** The paints of one head of hair, as SVG colors. */
export type HairTone = { base: string; shade: string; gloss: string };

/** Hair around a face whose outline spans x -128..128, y -145..168. `back` is painted before the body. */
export type Hairstyle = {
  /** True or false restricts the style to women or to men. Null allows both. */
  feminine: boolean | null;
  coversEars: boolean;
  back(tone: HairTone): string;
  front(tone: HairTone): string;
};

const fill = (paint: string, d: string) => `<path d="${d}" fill="${paint}"/>`;
const gloss = (paint: string, d: string) =>
  `<path d="${d}" fill="none" stroke="${paint}" stroke-width="7" stroke-linecap="round" opacity=".35"/>`;

const LONG =
  'M-148 -50C-168 -238 168 -238 148 -50C150 60 214 190 196 350C130 400 -130 400 -196 350C-214 190 -150 60 -148 -50Z';
const BOB =
  'M-146 -50C-166 -238 166 -238 146 -50C150 20 186 90 168 170C120 200 -120 200 -168 170C-186 90 -150 20 -146 -50Z';
const CAP = 'M-142 -20C-160 -215 160 -215 142 -20C140 30 -140 30 -142 -20Z';

const curtain =
  'M4 -172C-30 -96 -92 -66 -116 22C-124 66 -136 92 -152 112C-166 -20 -176 -208 0 -206C176 -208 166 -20 152 112C136 92 124 66 116 22C92 -66 30 -100 4 -172Z';
const sideSweep =
  'M70 -150C24 -96 -64 -84 -106 -46C-124 -20 -134 10 -138 44C-178 -130 -112 -212 10 -208C134 -212 174 -120 138 44C134 0 124 -50 106 -86Q92 -116 70 -150Z';
const bangs =
  'M-140 60C-172 -120 -130 -208 0 -208C130 -208 172 -120 140 60C134 20 128 -20 118 -56Q60 -74 0 -70Q-60 -74 -118 -56C-128 -20 -134 20 -140 60Z';
const quiff =
  'M-134 6C-152 -60 -146 -132 -106 -164C-66 -214 60 -232 118 -176C150 -140 150 -60 134 6C130 -30 122 -66 100 -92C40 -84 -30 -100 -72 -124C-90 -96 -124 -60 -134 6Z';
const crop =
  'M-134 0C-152 -132 -100 -200 0 -200C100 -200 152 -132 134 0C130 -36 124 -64 106 -86C70 -112 40 -116 0 -116C-40 -116 -70 -112 -106 -86C-124 -64 -130 -36 -134 0Z';
const tousled =
  'M-134 4C-160 -70 -150 -150 -96 -176C-84 -214 -30 -222 -6 -204C30 -230 84 -214 96 -184C146 -166 156 -70 134 4C128 -30 122 -52 112 -72C92 -62 74 -70 64 -88C46 -70 14 -72 2 -92C-16 -72 -50 -72 -62 -92C-74 -72 -96 -66 -112 -74C-124 -52 -130 -30 -134 4Z';

const shortSweep =
  'M70 -150C24 -96 -64 -84 -106 -50C-122 -30 -130 -14 -134 6C-172 -130 -112 -208 10 -206C134 -208 168 -120 134 6C132 -20 124 -56 106 -86Q92 -116 70 -150Z';

const curls = (tone: HairTone) => {
  const discs = Array.from({ length: 15 }, (_, index) => {
    const angle = Math.PI * (0.9 + (1.2 * index) / 14);
    const [x, y] = [Math.cos(angle) * 148, -28 + Math.sin(angle) * 150];
    return `<circle cx="${num(x)}" cy="${num(y)}" r="${index % 2 === 0 ? 64 : 56}"/>`;
  });
  return `<g fill="${tone.shade}"><circle cx="0" cy="-60" r="160"/>${discs.join('')}</g>`;
};

export const HAIRSTYLES: readonly Hairstyle[] = [
  {
    feminine: true,
    coversEars: true,
    back: (tone) => fill(tone.shade, LONG),
    front: (tone) =>
      fill(tone.base, curtain) +
      gloss(tone.gloss, 'M-118 -96C-96 -140 -62 -160 -34 -168M72 -152C100 -134 116 -108 124 -80'),
  },
  {
    feminine: true,
    coversEars: true,
    back: (tone) => fill(tone.shade, LONG),
    front: (tone) => fill(tone.base, bangs) + gloss(tone.gloss, 'M-96 -130Q0 -164 96 -130'),
  },
  {
    feminine: true,
    coversEars: true,
    back: (tone) => fill(tone.shade, BOB),
    front: (tone) => fill(tone.base, sideSweep) + gloss(tone.gloss, 'M-104 -110C-70 -150 -30 -160 14 -150'),
  },
  {
    feminine: true,
    coversEars: false,
    back: (tone) => `<circle cx="0" cy="-222" r="66" fill="${tone.shade}"/>${fill(tone.shade, CAP)}`,
    front: (tone) => fill(tone.base, crop) + gloss(tone.gloss, 'M-84 -142Q0 -178 84 -142'),
  },
  {
    feminine: null,
    coversEars: false,
    back: curls,
    front: (tone) =>
      `<g fill="${tone.base}">${[-104, -64, -20, 26, 70, 108].map((x, index) => `<circle cx="${x}" cy="${num(-128 + (x / 108) ** 2 * 46)}" r="${index % 2 === 0 ? 40 : 44}"/>`).join('')}</g>`,
  },
  {
    feminine: false,
    coversEars: false,
    back: (tone) => fill(tone.shade, CAP),
    front: (tone) => fill(tone.base, quiff) + gloss(tone.gloss, 'M-60 -168C-10 -196 60 -196 98 -160'),
  },
  {
    feminine: false,
    coversEars: false,
    back: (tone) => fill(tone.shade, CAP),
    front: (tone) => fill(tone.base, crop),
  },
  {
    feminine: false,
    coversEars: false,
    back: (tone) => fill(tone.shade, CAP),
    front: (tone) => fill(tone.base, shortSweep) + gloss(tone.gloss, 'M-96 -124C-60 -162 0 -170 50 -158'),
  },
  {
    feminine: false,
    coversEars: false,
    back: (tone) => fill(tone.shade, CAP),
    front: (tone) => fill(tone.base, tousled) + gloss(tone.gloss, 'M-70 -160Q0 -196 72 -162'),
  },
];
