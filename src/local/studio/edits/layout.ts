import type { Random } from '../drawing/random.ts';

export type Size = { readonly width: number; readonly height: number };
export type Box = Size & { readonly left: number; readonly top: number };

/** Part of its cell that an element fills. */
const FILL = 0.86;

/**
 * Arranges elements in a grid, side by side and row by row. Each element is scaled into its cell with its own ratio, and
 * moved a little by `random`, so that every image of a request differs.
 */
export function arrange(elements: readonly Size[], frame: Size, random: Random): Box[] {
  const columns = columnsFor(elements.length, frame);
  const rows = Math.ceil(elements.length / columns);
  return elements.map((element, index) => {
    const row = Math.floor(index / columns);
    const inRow = row === rows - 1 ? elements.length - row * columns : columns;
    const cell = { width: frame.width / inRow, height: frame.height / rows };
    const scale = Math.min(cell.width / element.width, cell.height / element.height) * FILL;
    const [width, height] = [element.width * scale, element.height * scale];
    const move = (space: number) => space * (0.5 + random.between(-0.25, 0.25));
    return {
      left: Math.round(cell.width * (index % columns) + move(cell.width - width)),
      top: Math.round(cell.height * row + move(cell.height - height)),
      width: Math.max(1, Math.round(width)),
      height: Math.max(1, Math.round(height)),
    };
  });
}

/** Returns the number of columns with which cells are closest to squares. */
function columnsFor(count: number, { width, height }: Size): number {
  const columns = Math.round(Math.sqrt((count * width) / height));
  return Math.min(count, Math.max(1, columns));
}
