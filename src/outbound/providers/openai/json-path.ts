/** Where in a JSON text a scanner is: as much as is needed to know a picture when it comes. */
export interface JsonPath {
  open(container: 'object' | 'array'): void;
  close(): void;
  /** A comma. */
  next(): void;
  /** A colon. */
  value(): void;
  /** The name of a member was read. */
  key(name: string): void;
  /** Whether a text that begins here is the name of a member. */
  atKey(): boolean;
  /** Whether a text that begins here is `data[].b64_json` of the outermost object. */
  atPicture(): boolean;
  begun(): boolean;
  ended(): boolean;
}

interface Frame {
  readonly container: 'object' | 'array';
  key: string;
  atKey: boolean;
}

/** Follows containers and names. It checks no syntax: what it follows is parsed properly afterwards. */
export function createJsonPath(): JsonPath {
  const frames: Frame[] = [];
  let begun = false;
  const top = () => frames[frames.length - 1];
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
    atPicture: () => {
      const [root, list, item] = frames;
      return (
        frames.length === 3 &&
        root?.key === 'data' &&
        list?.container === 'array' &&
        item?.key === 'b64_json' &&
        !item.atKey
      );
    },
    begun: () => begun,
    ended: () => begun && frames.length === 0,
  };
}
