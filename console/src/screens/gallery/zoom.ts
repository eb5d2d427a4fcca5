/** The visible part of an image: a factor, and an offset as a share of the frame. The center is the origin. */
export interface View {
  readonly zoom: number;
  readonly x: number;
  readonly y: number;
}

const maxZoom = 16;

/** The whole image. */
export const reset: View = { zoom: 1, x: 0, y: 0 };

/** Zooms by a factor around a point, which is a share of the frame. */
export function zoomAt(view: View, factor: number, point: { readonly x: number; readonly y: number }): View {
  const zoom = Math.min(maxZoom, Math.max(1, view.zoom * factor));
  const grown = zoom / view.zoom;
  // The point stays where it is, and everything else moves away from it.
  const along = (offset: number, at: number) => at - 0.5 - (at - 0.5 - offset) * grown;
  return within({ zoom, x: along(view.x, point.x), y: along(view.y, point.y) });
}

/** Moves the image by a share of the frame. */
export function moveBy(view: View, dx: number, dy: number): View {
  return within({ ...view, x: view.x + dx, y: view.y + dy });
}

/** Limits a view so that the image covers the frame. */
function within({ zoom, x, y }: View): View {
  const max = (zoom - 1) / 2;
  const limited = (offset: number) => Math.min(max, Math.max(-max, offset));
  return { zoom, x: limited(x), y: limited(y) };
}
