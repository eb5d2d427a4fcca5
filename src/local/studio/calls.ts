import { appendFile } from 'node:fs/promises';

/** What a provider would have billed: nothing, perhaps something, or the images for certain. */
export type Charged = 'none' | 'possible' | 'charged';

export type ProducedImage = { readonly sha256: string; readonly sizeBytes: number };

/** One request that reached the studio. It is filled in while the call goes on; `endedAt` tells when it is final. */
export type StudioCall = {
  /** Counts up from 1 in the order of arrival. */
  readonly id: number;
  readonly arrivedAt: string;
  readonly endedAt: string | null;
  readonly method: string;
  readonly path: string;
  /** The `x-request-id` of the answer. */
  readonly requestId: string;
  readonly headers: {
    readonly retryCount: string | null;
    readonly clientRequestId: string | null;
    readonly idempotencyKey: string | null;
    readonly userAgent: string | null;
    readonly fault: string | null;
  };
  readonly prompt: string | null;
  /** The rest of the JSON body. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** The fault that acted, as written, without brackets. */
  readonly fault: string | null;
  /** The status sent, or null when none was. */
  readonly status: number | null;
  readonly charged: Charged;
  /** What was produced, sent or not. */
  readonly images: readonly ProducedImage[];
  /** True when the client left before the answer was complete. */
  readonly aborted: boolean;
};

/** A call as its own handler sees it. */
export type OpenCall = { -readonly [Key in keyof StudioCall]: StudioCall[Key] };

export type CallLog = {
  readonly calls: ReadonlyArray<StudioCall>;
  open(start: Pick<StudioCall, 'method' | 'path' | 'requestId' | 'headers'>): OpenCall;
  /** Marks images as paid and writes the ledger line; resolves once the line is in the file. */
  charge(call: OpenCall, images: readonly ProducedImage[]): Promise<void>;
  close(call: OpenCall): void;
  chargedImages(): number;
};

type BookOptions = {
  ledgerFile?: string | undefined;
  onArrival?: ((call: StudioCall) => void) | undefined;
  onCall?: ((call: StudioCall) => void) | undefined;
};

const KEPT_CALLS = 10_000;

/** Remembers the last 10,000 calls, counts the paid images, and keeps the ledger file. */
export function createCallLog({ ledgerFile, onArrival, onCall }: BookOptions): CallLog {
  const calls: OpenCall[] = [];
  const tell = (listener: ((call: StudioCall) => void) | undefined, call: OpenCall) => {
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
        fault: null,
        status: null,
        charged: 'none',
        images: [],
        aborted: false,
      };
      calls.push(call);
      if (calls.length > KEPT_CALLS) calls.shift();
      tell(onArrival, call);
      return call;
    },
    async charge(call, images) {
      call.charged = 'charged';
      call.images = images;
      chargedImages += images.length;
      if (ledgerFile !== undefined) await appendFile(ledgerFile, ledgerLine(call));
    },
    close(call) {
      call.endedAt = new Date().toISOString();
      tell(onCall, call);
    },
  };
}

function ledgerLine({ requestId, headers, prompt, parameters, fault, images }: OpenCall): string {
  const at = new Date().toISOString();
  const line = { at, requestId, clientRequestId: headers.clientRequestId, prompt, parameters, fault, images };
  return `${JSON.stringify(line)}\n`;
}
