import { hex, type Lch } from './color.ts';

type Stop = readonly [offset: number, color: Lch, opacity?: number];
export type Point = readonly [x: number, y: number];

/** An SVG under construction: shapes in painting order, and definitions. */
export type Canvas = {
  readonly width: number;
  readonly height: number;
  /** The shorter edge. Sizes of shapes are shares of it, so that every aspect ratio works. */
  readonly unit: number;
  /** Adds a shape or any other SVG text. */
  add(svg: string): void;
  /** Defines a linear gradient in box shares (default top to bottom) and returns its paint. */
  linear(stops: readonly Stop[], direction?: readonly [number, number, number, number]): string;
  /** Defines a radial gradient that fills the shape's box and returns its paint. */
  radial(stops: readonly Stop[]): string;
  /** Adds a definition such as a clip path and returns its id. */
  define(build: (id: string) => string): string;
  /** Paints the whole surface. */
  backdrop(paint: string): void;
  /** Paints a soft disc of light with a gradient to transparent. */
  glow(x: number, y: number, radius: number, color: Lch, opacity: number): void;
  toSvg(): string;
};

/** Writes a number with one decimal: smaller documents, same image. */
export const num = (value: number): string => String(Math.round(value * 10) / 10);

/** Returns a closed or open path through points, with straight segments. */
export function polyline(points: readonly Point[]): string {
  return points.map(([x, y], index) => `${index === 0 ? 'M' : 'L'}${num(x)} ${num(y)}`).join('');
}

/** Returns a path through points with rounded bends (Catmull-Rom, written as cubic curves). */
export function smoothLine(points: readonly Point[]): string {
  const at = (index: number): Point =>
    points[Math.min(points.length - 1, Math.max(0, index))] ?? points[0] ?? [0, 0];
  const [x0, y0] = at(0);
  let path = `M${num(x0)} ${num(y0)}`;
  for (let index = 0; index < points.length - 1; index++) {
    const [before, from, to, after] = [at(index - 1), at(index), at(index + 1), at(index + 2)];
    const c1: Point = [from[0] + (to[0] - before[0]) / 6, from[1] + (to[1] - before[1]) / 6];
    const c2: Point = [to[0] - (after[0] - from[0]) / 6, to[1] - (after[1] - from[1]) / 6];
    path += `C${num(c1[0])} ${num(c1[1])} ${num(c2[0])} ${num(c2[1])} ${num(to[0])} ${num(to[1])}`;
  }
  return path;
}

/** Creates an empty image of the given size in pixels. */
export function createCanvas(width: number, height: number): Canvas {
  const definitions: string[] = [];
  const shapes: string[] = [];
  let lastId = 0;
  const define = (build: (id: string) => string) => {
    const id = `d${++lastId}`;
    definitions.push(build(id));
    return id;
  };
  const stopsOf = (stops: readonly Stop[]) =>
    stops
      .map(
        ([offset, color, opacity = 1]) =>
          `<stop offset="${Math.round(offset * 1000) / 1000}" stop-color="${hex(color)}"${
            opacity === 1 ? '' : ` stop-opacity="${Math.round(opacity * 1000) / 1000}"`
          }/>`,
      )
      .join('');
  const canvas: Canvas = {
    width,
    height,
    unit: Math.min(width, height),
    add: (svg) => void shapes.push(svg),
    define,
    linear: (stops, [x1, y1, x2, y2] = [0, 0, 0, 1]) =>
      `url(#${define(
        (id) =>
          `<linearGradient id="${id}" x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}">${stopsOf(stops)}</linearGradient>`,
      )})`,
    radial: (stops) =>
      `url(#${define((id) => `<radialGradient id="${id}">${stopsOf(stops)}</radialGradient>`)})`,
    backdrop: (paint) => canvas.add(`<rect width="${width}" height="${height}" fill="${paint}"/>`),
    glow: (x, y, radius, color, opacity) => {
      const paint = canvas.radial([
        [0, color, opacity],
        [0.25, color, opacity * 0.62],
        [0.5, color, opacity * 0.28],
        [0.75, color, opacity * 0.08],
        [1, color, 0],
      ]);
      canvas.add(`<circle cx="${num(x)}" cy="${num(y)}" r="${num(radius)}" fill="${paint}"/>`);
    },
    toSvg: () =>
      `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"><defs>${definitions.join('')}</defs>${shapes.join('')}</svg>`,
  };
  return canvas;
}
