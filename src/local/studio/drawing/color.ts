/** A color in OKLCH: lightness 0..1, chroma 0..0.37, hue in degrees. */
export type Lch = readonly [lightness: number, chroma: number, hue: number];

type Triple = readonly [number, number, number];

// The matrices are those of the OKLab definition (B. Ottosson, 2020).
function labToLinear([lightness, a, b]: Triple): Triple {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
}

const toLab = ([lightness, chroma, hue]: Lch): Triple => {
  const angle = (hue * Math.PI) / 180;
  return [lightness, chroma * Math.cos(angle), chroma * Math.sin(angle)];
};

const fromLab = ([lightness, a, b]: Triple): Lch => [
  lightness,
  Math.hypot(a, b),
  (Math.atan2(b, a) * 180) / Math.PI,
];

const isInside = (linear: Triple) => linear.every((channel) => channel >= -0.0005 && channel <= 1.0005);

function toByte(linear: number): number {
  const clipped = Math.min(1, Math.max(0, linear));
  const encoded = clipped <= 0.0031308 ? clipped * 12.92 : 1.055 * clipped ** (1 / 2.4) - 0.055;
  return Math.round(encoded * 255);
}

/** Returns the color as `#rrggbb`. Colors outside sRGB lose chroma, never lightness or hue. */
export function hex(color: Lch): string {
  let [lightness, chroma, hue] = color;
  lightness = Math.min(1, Math.max(0, lightness));
  let linear = labToLinear(toLab([lightness, chroma, hue]));
  while (!isInside(linear) && chroma > 0.002) {
    chroma *= 0.92;
    linear = labToLinear(toLab([lightness, chroma, hue]));
  }
  return `#${linear.map((channel) => toByte(channel).toString(16).padStart(2, '0')).join('')}`;
}

/** Returns a color between two others (0 = the first, 1 = the second), along a straight line in OKLab. */
export function mix(from: Lch, to: Lch, share: number): Lch {
  const [l1, a1, b1] = toLab(from);
  const [l2, a2, b2] = toLab(to);
  const blend = (x: number, y: number) => x + (y - x) * share;
  return fromLab([blend(l1, l2), blend(a1, a2), blend(b1, b2)]);
}

/** Returns the color lighter (positive) or darker (negative). */
export function lighten([lightness, chroma, hue]: Lch, amount: number): Lch {
  return [Math.min(1, Math.max(0, lightness + amount)), chroma, hue];
}
