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
  /** Returns whether a text that begins here is an image: `data[].b64_json` or `output[].result` of the outermost object. */
  atImage(): boolean;
  /** Returns whether a text that begins here is a link to an image, `data[].url` of the outermost object. */
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
}

/** Members that hold images, in responses of the Images API and of the Responses API. */
const imageMembers: Readonly<Record<string, string>> = { data: 'b64_json', output: 'result' };

/** Creates a path that follows containers and names. It checks no syntax, because the text is parsed afterwards. */
export function createJsonPath(): JsonPath {
  const frames: Frame[] = [];
  let begun = false;
  const top = () => frames[frames.length - 1];
  /** Returns list and member if a value begins here that belongs to an object in a list of the outermost object. */
  const itemMember = (): [string, string] | null => {
    const [root, list, item] = frames;
    if (frames.length !== 3 || !root || list?.container !== 'array' || !item || item.atKey) return null;
    return [root.key, item.key];
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
    atImage: () => {
      const [list, member] = itemMember() ?? ['', ''];
      return Object.hasOwn(imageMembers, list) && imageMembers[list] === member;
    },
    atLink: () => {
      const [list, member] = itemMember() ?? [];
      return list === 'data' && member === 'url';
    },
    rootMember: () => {
      const [root] = frames;
      return frames.length === 1 && root?.atKey === false ? root.key : null;
    },
    begun: () => begun,
    ended: () => begun && frames.length === 0,
  };
}
