/** Position of a scanner in a JSON text, precise enough to recognize an image. */
export interface JsonPath {
  open(container: 'object' | 'array'): void;
  close(): void;
  /** Records a comma. */
  next(): void;
  /** Records a colon. */
  value(): void;
  /** Records the name of a member. */
  key(name: string): void;
  /** Returns whether a text that begins here is the name of a member. */
  atKey(): boolean;
  /** Returns whether a text that begins here is an image. */
  atImage(): boolean;
  /** Returns whether a text that begins here is a link to an image, see `imageLinks`. */
  atLink(): boolean;
  /** Returns the name of the member of the outermost object whose value begins here, or `null` anywhere else. */
  rootMember(): string | null;
  begun(): boolean;
  ended(): boolean;
}

/** Last names of `imageLinks`; empty for an element of a list. */
const linkNames = new Set(['url', 'image_url', 'image', '']);

interface Frame {
  readonly container: 'object' | 'array';
  key: string;
  atKey: boolean;
}

/** Paths of images in responses of the Images API and of the Responses API. */
export const responseImages: readonly string[] = ['data[].b64_json', 'output[].result'];
/** Paths of images in the events of streams. */
export const eventImages: readonly string[] = [
  'b64_json',
  'partial_image_b64',
  'item.result',
  'response.output[].result',
  ...responseImages,
];

/** Paths of links to images in responses of the Images API and of gateways. A link may be a data URI, the image itself. */
export const imageLinks: readonly string[] = [
  ...['data[].url', 'data[].image_url', 'data[].image_url.url', 'data[].image', 'data[]', 'data.url'],
  ...['images[].url', 'images[].image_url', 'images[].image_url.url', 'images[]'],
  ...['output[]', 'image', 'image_url', 'url', 'choices[].message.images[].image_url.url'],
];

/**
 * Creates a path that follows containers and names. It checks no syntax, because the text is parsed afterwards.
 *
 * @param images paths of images, such as `data[].b64_json`.
 */
export function createJsonPath(images: readonly string[]): JsonPath {
  const frames: Frame[] = [];
  let begun = false;
  const top = () => frames[frames.length - 1];
  const imageNames = new Set(images.map((path) => path.split('.').at(-1)));
  /** Returns the path of the value that begins here, or `null` if no value begins here. */
  const here = (): string | null => {
    if (frames.length === 0 || frames.some(({ container, atKey }) => container === 'object' && atKey))
      return null;
    return frames
      .map(({ container, key }) => (container === 'array' ? '[]' : `.${key}`))
      .join('')
      .slice(1);
  };
  return {
    open(container) {
      begun = true;
      frames.push({ container, key: '', atKey: container === 'object' });
    },
    close() {
      frames.pop();
    },
    next() {
      const frame = top();
      if (frame) frame.atKey = frame.container === 'object';
    },
    value() {
      const frame = top();
      if (frame) frame.atKey = false;
    },
    key(name) {
      const frame = top();
      if (frame) frame.key = name;
    },
    atKey: () => top()?.atKey === true,
    atImage: () => imageNames.has(top()?.key) && images.includes(here() ?? ''),
    atLink: () => linkNames.has(top()?.key ?? '') && imageLinks.includes(here() ?? ''),
    rootMember: () => {
      const [root] = frames;
      return frames.length === 1 && root?.atKey === false ? root.key : null;
    },
    begun: () => begun,
    ended: () => begun && frames.length === 0,
  };
}
