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

interface Frame {
  readonly container: 'object' | 'array';
  key: string;
  atKey: boolean;
  /** Known paths that lead into this container; `undefined` if none does. */
  readonly paths: PathNode | undefined;
}

/** A step of known paths, and the steps that may follow: names of members, and `[]` for an element of a list. */
interface PathNode {
  readonly steps: Map<string, PathNode>;
  isImage: boolean;
  isLink: boolean;
}

/** Paths of links to images in responses of the Images API and of gateways. A link may be a data URI, the image itself. */
export const imageLinks: readonly string[] = [
  ...['data[].url', 'data[].image_url', 'data[].image_url.url', 'data[].image', 'data[]', 'data.url'],
  ...['images[].url', 'images[].image_url', 'images[].image_url.url', 'images[]'],
  ...['output[]', 'image', 'image_url', 'url', 'choices[].message.images[].image_url.url'],
];

/** Paths of images and of `imageLinks`, as a tree. */
export type KnownPaths = PathNode;

const imagesOfResponses = ['data[].b64_json', 'output[].result'];
/** Paths in responses of the Images API and of the Responses API. */
export const responsePaths: KnownPaths = treeOf(imagesOfResponses);
/** Paths in the events of streams. */
export const eventPaths: KnownPaths = treeOf([
  ...['b64_json', 'partial_image_b64', 'item.result', 'response.output[].result'],
  ...imagesOfResponses,
]);

function treeOf(images: readonly string[]): PathNode {
  const root = createNode();
  for (const path of images) nodeAt(root, path).isImage = true;
  for (const path of imageLinks) nodeAt(root, path).isLink = true;
  return root;
}

function nodeAt(root: PathNode, path: string): PathNode {
  return stepsOf(path).reduce((node, step) => {
    const next = node.steps.get(step) ?? createNode();
    node.steps.set(step, next);
    return next;
  }, root);
}

function createNode(): PathNode {
  return { steps: new Map(), isImage: false, isLink: false };
}

/** Returns the steps of a path: `data[].url` has `data`, `[]` and `url`. */
export function stepsOf(path: string): string[] {
  return path.split(/\.|(?=\[\])/);
}

/**
 * Creates a path that follows containers and names. It checks no syntax, because the text is parsed afterwards.
 *
 * Every step costs the same at any depth, because a frame remembers the known paths that lead to it.
 *
 */
export function createJsonPath(known: KnownPaths): JsonPath {
  const frames: Frame[] = [];
  let begun = false;
  const top = () => frames[frames.length - 1];
  /** Returns the known paths that lead to the value that begins here. */
  const here = (): PathNode | undefined => {
    const frame = top();
    if (!frame?.paths || frame.atKey) return undefined;
    return frame.paths.steps.get(frame.container === 'array' ? '[]' : frame.key);
  };
  return {
    open(container) {
      const paths = begun ? here() : known;
      begun = true;
      frames.push({ container, key: '', atKey: container === 'object', paths });
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
    atImage: () => here()?.isImage === true,
    atLink: () => here()?.isLink === true,
    rootMember: () => {
      const [root] = frames;
      return frames.length === 1 && root?.atKey === false ? root.key : null;
    },
    begun: () => begun,
    ended: () => begun && frames.length === 0,
  };
}
