import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import OpenAI from 'openai';
import { installPackages } from '../../scripts/install-packages.ts';
import { loadPythonClient } from './openai-python.ts';

/** Request that every client can send. */
export interface ClientRequest {
  readonly prompt: string;
  readonly n?: number;
  /** Default: the default of the client, which is a retired model for most of them. */
  readonly model?: string;
}

export interface ClientOptions {
  /** Base URL, which ends with `/v1`. */
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly maxRetries?: number;
}

/** An unmodified client of the OpenAI API, used as its documentation shows. */
export interface ImageClient {
  readonly name: string;
  /** Resolves with the bytes of the images that the caller of the client receives. */
  generate(options: ClientOptions, request: ClientRequest): Promise<Buffer[]>;
}

type GenerateImage = (options: {
  model: unknown;
  prompt: string | { text: string; images: Uint8Array[]; mask?: Uint8Array };
  n?: number;
  size?: string;
  maxRetries?: number;
  providerOptions?: Record<string, Record<string, unknown>>;
}) => Promise<{ images: { uint8Array: Uint8Array }[] }>;
type CreateProvider = (options: { name?: string; baseURL: string; apiKey: string }) => {
  image(model: string): unknown;
  imageModel(model: string): unknown;
};

/** The parts of the AI SDK and of its providers that the tests use. */
export interface AiSdk {
  readonly generateImage: GenerateImage;
  readonly createOpenAI: CreateProvider;
  readonly createOpenAICompatible: CreateProvider;
}

interface LangChain {
  readonly DallEAPIWrapper: new (
    fields: Record<string, unknown>,
  ) => { invoke(prompt: string): Promise<string | { image_url: string }[]>; client: { maxRetries: number } };
}

/** Loaders of the installed packages, with the parts that the tests use. */
interface ClientPackages {
  loadOpenAI7(): Promise<typeof OpenAI>;
  loadAiSdk(): Promise<AiSdk>;
  loadLangChain(): Promise<LangChain>;
}

const clientPackages = fileURLToPath(new URL('client-packages', import.meta.url));
const defaultModel = 'gpt-image-2';

const maxDownloads = 3;

/** Downloads an image by its link. Tries again after a broken connection, because a caller would not generate the image again for that. */
export async function download(url: string): Promise<Buffer> {
  for (let no = 1; ; no += 1) {
    try {
      const response = await fetch(url);
      return Buffer.from(new Uint8Array(await response.arrayBuffer()));
    } catch (error) {
      if (no === maxDownloads) throw error;
    }
  }
}

/** Returns the error of a failed call, with the status that the client shows to its caller. */
export async function failureOf(call: Promise<unknown>): Promise<Error & { status?: number }> {
  const error = await call.then(
    () => new Error('the call succeeded'),
    (reason: unknown) => reason as Error & { statusCode?: number; status?: number; errors?: unknown[] },
  );
  const last = (error as { lastError?: { statusCode?: number } }).lastError;
  const status =
    (error as { status?: number }).status ??
    (error as { statusCode?: number }).statusCode ??
    last?.statusCode;
  return Object.assign(error, status === undefined ? {} : { status });
}

/** Returns a client of the official SDK. Both major versions have the same interface here. */
export const officialClient = (
  Client: typeof OpenAI,
  { baseUrl, apiKey, maxRetries }: ClientOptions,
): OpenAI => new Client({ apiKey, baseURL: baseUrl, maxRetries: maxRetries ?? 2 });

const officialSdk = (name: string, load: () => Promise<typeof OpenAI>): ImageClient => ({
  name,
  async generate(options, request) {
    const response = await officialClient(await load(), options).images.generate({
      model: defaultModel,
      ...request,
    });
    return (response.data ?? []).map(({ b64_json }) => Buffer.from(b64_json ?? '', 'base64'));
  },
});

/** Returns the official SDK with `stream: true`, whose failures arrive inside of the response. */
const streaming = (load: () => Promise<typeof OpenAI>): ImageClient => ({
  name: 'openai 7 (stream)',
  async generate(options, request) {
    const stream = await officialClient(await load(), options).images.generate({
      model: defaultModel,
      ...request,
      stream: true,
    });
    const images: Buffer[] = [];
    for await (const { type, b64_json } of stream) {
      if (type === 'image_generation.completed') images.push(Buffer.from(b64_json, 'base64'));
    }
    return images;
  },
});

const aiSdk = (
  name: string,
  load: ClientPackages['loadAiSdk'],
  create: 'createOpenAI' | 'createOpenAICompatible',
): ImageClient => ({
  name,
  async generate({ baseUrl, apiKey, maxRetries }, { model, ...request }) {
    const sdk = await load();
    const provider = sdk[create]({ name: 'darkroom', baseURL: baseUrl, apiKey });
    const { images } = await sdk.generateImage({
      model: provider.imageModel(model ?? defaultModel),
      ...request,
      ...(maxRetries === undefined ? {} : { maxRetries }),
    });
    return images.map(({ uint8Array }) => Buffer.from(uint8Array));
  },
});

const langChain = ({ loadLangChain }: ClientPackages): ImageClient => ({
  name: 'LangChain',
  async generate({ baseUrl, apiKey, maxRetries }, { prompt, ...fields }) {
    const { DallEAPIWrapper } = await loadLangChain();
    const tool = new DallEAPIWrapper({ apiKey, baseUrl, ...fields });
    if (maxRetries !== undefined) tool.client.maxRetries = maxRetries;
    const result = await tool.invoke(prompt);
    const urls = typeof result === 'string' ? [result] : result.map(({ image_url }) => image_url);
    return Promise.all(urls.map(download));
  },
});

/** All clients of the tests: the official SDK of this project, and those that were installed. */
export interface Clients {
  /** Clients that wait for one response. */
  readonly all: readonly ImageClient[];
  /** Clients that read a stream. */
  readonly streams: readonly ImageClient[];
  /** Loaders of the packages. */
  readonly packages: Readonly<Record<'OpenAI6' | 'OpenAI7', () => Promise<typeof OpenAI>>> & {
    AiSdk(): Promise<AiSdk>;
  };
}

/** Installs the clients. Returns their folder, or `undefined` with a message on the console if npm cannot install them. */
export async function installClients(): Promise<string | undefined> {
  try {
    return await installPackages(clientPackages);
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    console.warn(
      `skipped: the OpenAI clients in test/support/client-packages cannot be installed (${reason})`,
    );
    return undefined;
  }
}

/**
 * Installs and loads the clients. The Python client is absent if pip cannot install it.
 *
 * @returns undefined if npm cannot install the other clients
 */
export async function loadClients(): Promise<Clients | undefined> {
  const folder = await installClients();
  if (!folder) return undefined;
  const packages: ClientPackages = await import(pathToFileURL(join(folder, 'clients.mjs')).href);
  const { loadOpenAI7, loadAiSdk } = packages;
  const python = await loadPythonClient();
  return {
    packages: { OpenAI6: async () => OpenAI, OpenAI7: loadOpenAI7, AiSdk: loadAiSdk },
    streams: [streaming(loadOpenAI7)],
    all: [
      officialSdk('openai 6', async () => OpenAI),
      officialSdk('openai 7', loadOpenAI7),
      aiSdk('AI SDK (openai)', loadAiSdk, 'createOpenAI'),
      aiSdk('AI SDK (openai-compatible)', loadAiSdk, 'createOpenAICompatible'),
      langChain(packages),
      ...(python ? [python] : []),
    ],
  };
}
