import { appendFile } from 'node:fs/promises';
import type { ImageUsage } from './usage.ts';

/** The charge a provider would have made: none, possibly one, or the images for certain. */
export type Charged = 'none' | 'possible' | 'charged';

/** A file that a call sent as an input of an edit. */
export type ReceivedInput = {
  /** Name of the parameter, such as `image[0]` or `mask`. */
  readonly param: string;
  readonly sha256: string;
  readonly sizeBytes: number;
};

export type ProducedImage = { readonly sha256: string; readonly sizeBytes: number };

/** One request that reached the studio. Its fields are final once `endedAt` is set. */
export type StudioCall = {
  /** Position in the order of arrival, from 1. */
  readonly id: number;
  readonly arrivedAt: string;
  readonly endedAt: string | null;
  readonly method: string;
  readonly path: string;
  /** The `x-request-id` of the response. */
  readonly requestId: string;
  readonly headers: {
    readonly retryCount: string | null;
    readonly clientRequestId: string | null;
    readonly idempotencyKey: string | null;
    readonly userAgent: string | null;
    readonly fault: string | null;
  };
  readonly prompt: string | null;
  /** The other fields of the body. Data URLs are cut. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** The inputs of an edit, in the order sent. */
  readonly inputs: readonly ReceivedInput[];
  /** The fault that acted, as written, without brackets. */
  readonly fault: string | null;
  /** The status sent, or null if none was sent. */
  readonly status: number | null;
  readonly charged: Charged;
  /** The images produced, sent or not. */
  readonly images: readonly ProducedImage[];
  /** True if the client disconnected before the response was complete. */
  readonly aborted: boolean;
};

/** A call as its own handler sees it: writable. */
export type OpenCall = { -readonly [Key in keyof StudioCall]: StudioCall[Key] };

export type CallLog = {
  readonly calls: ReadonlyArray<StudioCall>;
  open(start: Pick<StudioCall, 'method' | 'path' | 'requestId' | 'headers'>): OpenCall;
  /** Marks images as paid and writes the ledger line. Resolves once the line is in the file. */
  charge(call: OpenCall, images: readonly ProducedImage[], usage?: ImageUsage): Promise<void>;
  close(call: OpenCall): void;
  chargedImages(): number;
};

type CallLogOptions = {
  ledgerFile?: string | undefined;
  onArrival?: ((call: StudioCall) => void) | undefined;
  onCall?: ((call: StudioCall) => void) | undefined;
};

const MAX_CALLS = 10_000;
/** Maximum length of the texts of all ended calls. A prompt may have 32,000 characters, and other fields a megabyte. */
const MAX_CHARACTERS = 16 * 1024 * 1024;

/** Creates a log of the last calls, at most 10,000, that counts paid images and writes the ledger file. */
export function createCallLog({ ledgerFile, onArrival, onCall }: CallLogOptions): CallLog {
  const calls: OpenCall[] = [];
  const lengths = new Map<OpenCall, number>();
  let characters = 0;
  const dropOldest = () => {
    const dropped = calls.shift();
    if (dropped === undefined) return;
    characters -= lengths.get(dropped) ?? 0;
    lengths.delete(dropped);
  };
  const measure = (call: OpenCall) => {
    // A call that was dropped while it ran is not in the log any more.
    if (call.id < (calls[0]?.id ?? 0)) return;
    const length = lengthOf(call);
    lengths.set(call, length);
    characters += length;
    while (characters > MAX_CHARACTERS && calls.length > 1) dropOldest();
  };
  const notify = (listener: ((call: StudioCall) => void) | undefined, call: OpenCall) => {
    try {
      listener?.(call);
    } catch (error) {
      process.emitWarning(`A studio listener failed: ${error instanceof Error ? error.message : error}`);
    }
  };
  let lastId = 0;
  let chargedImages = 0;
  return {
    calls,
    chargedImages: () => chargedImages,
    open(start) {
      const call: OpenCall = {
        id: ++lastId,
        arrivedAt: new Date().toISOString(),
        endedAt: null,
        ...start,
        prompt: null,
        parameters: {},
        inputs: [],
        fault: null,
        status: null,
        charged: 'none',
        images: [],
        aborted: false,
      };
      calls.push(call);
      if (calls.length > MAX_CALLS) dropOldest();
      notify(onArrival, call);
      return call;
    },
    async charge(call, images, usage) {
      call.charged = 'charged';
      call.images = images;
      chargedImages += images.length;
      if (ledgerFile !== undefined) await appendFile(ledgerFile, ledgerLine(call, usage));
    },
    close(call) {
      call.endedAt = new Date().toISOString();
      measure(call);
      notify(onCall, call);
    },
  };
}

/** Returns the length of the texts that a caller controls. */
const lengthOf = ({ prompt, parameters, headers }: OpenCall): number =>
  (prompt?.length ?? 0) + JSON.stringify([parameters, headers]).length;

function ledgerLine(call: OpenCall, usage: ImageUsage | undefined): string {
  const { requestId, headers, prompt, parameters, inputs, fault, images } = call;
  const at = new Date().toISOString();
  const { clientRequestId } = headers;
  const line = { at, requestId, clientRequestId, prompt, parameters, inputs, fault, images, usage };
  return `${JSON.stringify(line)}\n`;
}
