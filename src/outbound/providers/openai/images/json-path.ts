/** Where in a JSON text a scanner is: as much as is needed to know an image when it comes. */
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
  /** Whether a text that begins here is an image: `data[].b64_json` or `output[].result` of the outermost object. */
  atImage(): boolean;
  /** The name of the member of the outermost object whose value begins here; `null` anywhere else. */
  rootMember(): string | null;
  begun(): boolean;
  ended(): boolean;
}

interface Frame {
  readonly container: 'object' | 'array';
  key: string;
  atKey: boolean;
}

/** Where images stand: in answers of the Images API, and of the Responses API. */
const imageMembers: Readonly<Record<string, string>> = { data: 'b64_json', output: 'result' };

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
    atImage: () => {
      const [root, list, item] = frames;
      if (frames.length !== 3 || !root || list?.container !== 'array' || !item || item.atKey) return false;
      return Object.hasOwn(imageMembers, root.key) && imageMembers[root.key] === item.key;
    },
    rootMember: () => {
      const [root] = frames;
      return frames.length === 1 && root?.atKey === false ? root.key : null;
    },
    begun: () => begun,
    ended: () => begun && frames.length === 0,
  };
}
