/** A color in OKLCH: lightness 0..1, chroma 0..0.37, hue in degrees. */
export type Lch = readonly [lightness: number, chroma: number, hue: number];

export type Triple = readonly [number, number, number];

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

/** Returns a color of OKLab in polar coordinates. */
export const fromLab = ([lightness, a, b]: Triple): Lch => [
  lightness,
  Math.hypot(a, b),
  (Math.atan2(b, a) * 180) / Math.PI,
];

function linearToLab([r, g, b]: Triple): Triple {
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

/** Returns the OKLab color of three sRGB bytes. */
export function labOfBytes(bytes: Triple): Triple {
  const [r, g, b] = bytes;
  return linearToLab([toLinear(r), toLinear(g), toLinear(b)]);
}

function toLinear(byte: number): number {
  const encoded = byte / 255;
  return encoded <= 0.04045 ? encoded / 12.92 : ((encoded + 0.055) / 1.055) ** 2.4;
}

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
