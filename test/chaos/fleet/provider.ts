import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startChild } from './child-process.ts';

/** One line of the ledger of the provider. */
export interface Charge {
  readonly jobId: string;
  /** Number of the attempt within its job, from 1. */
  readonly attemptNo: number;
  readonly requestId: string;
  /** Digests of the paid images. */
  readonly sha256: readonly string[];
  /** Digests of the inputs of an edit, in the order sent. */
  readonly inputs: readonly string[];
  /** Amount in micro-USD, by the prices of gpt-image-2; `null` if the line has no tokens. */
  readonly microUsd: number | null;
}

/** The offline provider in a separate process that no scenario kills. */
export interface Provider {
  readonly baseUrl: string;
  /** Returns all charges so far. */
  charges(): Charge[];
  stop(): Promise<void>;
}

const program = fileURLToPath(new URL('../../support/provider-process.ts', import.meta.url));
/** Prices of a token of gpt-image-2. The catalogue of the service is not used, so that an error in it shows. */
const microUsdOfText = 5;
const microUsdOfImage = 30;
const loader = import.meta.resolve('tsx');

/** Starts the provider with its ledger in the folder. `latencyMs` is the default latency of an image. */
export async function startProvider(folder: string, latencyMs: number): Promise<Provider> {
  const ledgerFile = join(folder, 'charges.jsonl');
  writeFileSync(ledgerFile, '');
  let resolveAddress = (_line: string) => {};
  const address = new Promise<string>((resolve) => {
    resolveAddress = resolve;
  });
  const child = startChild(['--import', loader, program, ledgerFile, String(latencyMs)], {
    env: {},
    cwd: folder,
    onLine: (line) => line.startsWith('http://') && resolveAddress(line),
  });
  const gone = child.ended.then((): never => {
    throw new Error('the provider ended during its start');
  });
  const baseUrl = await Promise.race([address, gone]);
  return {
    baseUrl,
    charges: () => readFileSync(ledgerFile, 'utf8').split('\n').filter(Boolean).map(chargeOf),
    async stop() {
      child.kill('SIGKILL');
      await child.ended;
    },
  };
}

function chargeOf(line: string): Charge {
  const { requestId, clientRequestId, images, inputs, usage } = JSON.parse(line) as {
    requestId: string;
    clientRequestId: string | null;
    images: { sha256: string }[];
    inputs: { sha256: string }[];
    usage?: { input_tokens: number; output_tokens: number };
  };
  const [, jobId = '', attemptNo = ''] = /^(.+)-(\d+)$/.exec(clientRequestId ?? '') ?? [];
  return {
    jobId,
    attemptNo: Number(attemptNo),
    requestId,
    sha256: images.map((image) => image.sha256),
    inputs: inputs.map((input) => input.sha256),
    microUsd: usage ? usage.input_tokens * microUsdOfText + usage.output_tokens * microUsdOfImage : null,
  };
}
