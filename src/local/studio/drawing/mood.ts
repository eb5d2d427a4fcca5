import type { Lch } from './color.ts';
import { firstNamed } from './prompt-words.ts';
import type { Random } from './random.ts';

/** The colors of one image. `sky` runs from the top to the horizon, `far` to `near` through the layers. */
export type Mood = {
  readonly name: string;
  readonly night: boolean;
  readonly sky: readonly [Lch, Lch, Lch];
  readonly light: Lch;
  readonly far: Lch;
  readonly near: Lch;
  readonly paper: Lch;
  readonly ink: Lch;
  /** Five matching colors for flat shapes. */
  readonly pops: readonly [Lch, Lch, Lch, Lch, Lch];
};

const colors = (text: string): Lch[] =>
  text.split(', ').map((color) => {
    const [lightness = 0, chroma = 0, hue = 0] = color.split(' ').map(Number);
    return [lightness, chroma, hue] as const;
  });

const GREY: Lch = [0.5, 0, 0];

/** Reads one row: sky (top, middle, low); light, far, near; paper, ink; five pops. Each color is L C h. */
function mood(name: string, skyText: string, landText: string, paperText: string, popText: string): Mood {
  const [top = GREY, middle = GREY, low = GREY] = colors(skyText);
  const [light = GREY, far = GREY, near = GREY] = colors(landText);
  const [paper = GREY, ink = GREY] = colors(paperText);
  const [p1 = GREY, p2 = GREY, p3 = GREY, p4 = GREY, p5 = GREY] = colors(popText);
  const night = name === 'night';
  return { name, night, sky: [top, middle, low], light, far, near, paper, ink, pops: [p1, p2, p3, p4, p5] };
}

// biome-ignore format: one mood, one row of colors
const MOODS: readonly Mood[] = [
  mood('dawn', '0.7 0.075 285, 0.83 0.075 10, 0.94 0.06 75', '0.98 0.05 90, 0.79 0.055 330, 0.33 0.07 290', '0.965 0.015 70, 0.32 0.06 290', '0.72 0.11 15, 0.84 0.09 70, 0.62 0.09 285, 0.44 0.09 295, 0.78 0.06 195'),
  mood('sunset', '0.42 0.12 300, 0.67 0.16 20, 0.86 0.13 72', '0.96 0.09 92, 0.66 0.13 22, 0.23 0.07 312', '0.96 0.025 75, 0.28 0.07 315', '0.66 0.17 35, 0.82 0.14 75, 0.52 0.14 5, 0.36 0.1 320, 0.72 0.07 215'),
  mood('night', '0.19 0.05 272, 0.29 0.07 266, 0.46 0.08 245', '0.95 0.035 95, 0.42 0.07 252, 0.14 0.03 266', '0.27 0.05 268, 0.93 0.03 95', '0.8 0.1 85, 0.6 0.1 255, 0.74 0.08 215, 0.5 0.1 290, 0.86 0.04 90'),
  mood('ocean', '0.68 0.1 240, 0.83 0.07 225, 0.95 0.03 195', '0.985 0.035 95, 0.76 0.07 222, 0.29 0.08 248', '0.97 0.012 200, 0.28 0.07 250', '0.55 0.12 245, 0.75 0.09 215, 0.86 0.09 85, 0.38 0.1 255, 0.72 0.12 35'),
  mood('forest', '0.8 0.055 195, 0.89 0.05 155, 0.95 0.05 110', '0.98 0.06 100, 0.77 0.065 160, 0.27 0.06 165', '0.96 0.02 105, 0.29 0.055 165', '0.55 0.1 150, 0.74 0.1 125, 0.82 0.11 85, 0.38 0.075 165, 0.7 0.12 45'),
  mood('gold', '0.77 0.09 70, 0.88 0.09 84, 0.955 0.06 95', '0.985 0.05 100, 0.79 0.1 72, 0.33 0.07 50', '0.965 0.025 88, 0.33 0.06 50', '0.77 0.14 80, 0.62 0.12 60, 0.88 0.08 92, 0.42 0.08 50, 0.58 0.06 200'),
  mood('rose', '0.79 0.085 350, 0.88 0.06 8, 0.955 0.035 50', '0.985 0.03 70, 0.81 0.075 355, 0.36 0.1 352', '0.97 0.015 30, 0.34 0.09 352', '0.73 0.12 5, 0.87 0.06 25, 0.55 0.13 355, 0.65 0.06 170, 0.4 0.1 345'),
  mood('crimson', '0.47 0.16 20, 0.64 0.18 28, 0.85 0.11 62', '0.96 0.07 85, 0.64 0.16 27, 0.23 0.075 15', '0.955 0.02 65, 0.27 0.07 15', '0.57 0.19 27, 0.8 0.11 70, 0.4 0.13 20, 0.35 0.04 250, 0.72 0.13 45'),
  mood('violet', '0.43 0.12 292, 0.64 0.11 305, 0.87 0.065 340', '0.96 0.04 60, 0.66 0.1 305, 0.24 0.085 290', '0.96 0.015 310, 0.3 0.09 290', '0.58 0.14 300, 0.76 0.1 320, 0.85 0.08 70, 0.38 0.12 288, 0.72 0.08 200'),
  mood('autumn', '0.76 0.05 220, 0.88 0.045 85, 0.93 0.075 72', '0.98 0.06 90, 0.76 0.1 58, 0.31 0.075 35', '0.96 0.022 78, 0.31 0.06 38', '0.66 0.15 45, 0.8 0.13 78, 0.5 0.13 32, 0.45 0.06 150, 0.36 0.07 35'),
  mood('winter', '0.74 0.05 250, 0.87 0.03 240, 0.965 0.015 70', '0.99 0.02 85, 0.86 0.028 245, 0.38 0.055 255', '0.97 0.008 240, 0.34 0.05 255', '0.68 0.07 245, 0.84 0.04 230, 0.45 0.07 255, 0.76 0.09 30, 0.9 0.03 80'),
  mood('ink', '0.89 0.012 85, 0.935 0.012 85, 0.965 0.012 85', '0.62 0.19 30, 0.84 0.01 90, 0.24 0.01 265', '0.96 0.012 85, 0.22 0.01 265', '0.3 0.01 265, 0.58 0.012 90, 0.62 0.19 30, 0.8 0.02 85, 0.44 0.012 90'),
];

/** Chooses the colors by the color or time of day that the prompt names first, otherwise by `random`. */
export function chooseMood(prompt: string, random: Random): Mood {
  const surprise = random.pick(MOODS);
  const requested = firstNamed(
    MOODS.map(({ name }) => name),
    prompt,
  );
  const chosen = MOODS.find(({ name }) => name === requested) ?? surprise;
  const rotation = random.between(-7, 7);
  const shift = ([lightness, chroma, hue]: Lch): Lch => [lightness, chroma, hue + rotation];
  const [top, middle, low] = chosen.sky;
  const [p1, p2, p3, p4, p5] = chosen.pops;
  return {
    ...chosen,
    sky: [shift(top), shift(middle), shift(low)],
    far: shift(chosen.far),
    near: shift(chosen.near),
    pops: [shift(p1), shift(p2), shift(p3), shift(p4), shift(p5)],
  };
}
