import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import OpenAI from 'openai';
import { installPackages } from '../../scripts/install-packages.ts';
import { testKeys } from './service-environment.ts';

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
  readonly apiKey?: string;
  readonly maxRetries?: number;
}

/** An unmodified client of the OpenAI API, used as its documentation shows. */
export interface ImageClient {
  readonly name: string;
  /** Whether its retries carry `x-stainless-retry-count`. */
  readonly marksRetries: boolean;
  /** Resolves with the bytes of the images that the caller of the client receives. */
  generate(options: ClientOptions, request: ClientRequest): Promise<Buffer[]>;
}

type GenerateImage = (options: {
  model: unknown;
  prompt: string;
  n?: number;
  maxRetries?: number;
}) => Promise<{ images: { uint8Array: Uint8Array }[] }>;
type CreateProvider = (options: { name?: string; baseURL: string; apiKey: string }) => {
  image(model: string): unknown;
  imageModel(model: string): unknown;
};

/** The parts of the installed packages that the tests use. */
interface ClientPackages {
  readonly OpenAI7: typeof OpenAI;
  readonly generateImage: GenerateImage;
  readonly createOpenAI: CreateProvider;
  readonly createOpenAICompatible: CreateProvider;
  readonly DallEAPIWrapper: new (
    fields: Record<string, unknown>,
  ) => { invoke(prompt: string): Promise<string | { image_url: string }[]>; client: { maxRetries: number } };
}

export const clientPackages = fileURLToPath(new URL('client-packages', import.meta.url));
const defaultModel = 'gpt-image-2';

/** Downloads an image by its link. */
export async function download(url: string): Promise<Buffer> {
  const response = await fetch(url);
  return Buffer.from(new Uint8Array(await response.arrayBuffer()));
}

/** Returns a client of the official SDK. Both major versions have the same interface here. */
export const officialClient = (
  Client: typeof OpenAI,
  { baseUrl, apiKey, maxRetries }: ClientOptions,
): OpenAI => new Client({ apiKey: apiKey ?? testKeys.acme, baseURL: baseUrl, maxRetries: maxRetries ?? 2 });

const officialSdk = (name: string, Client: typeof OpenAI): ImageClient => ({
  name,
  marksRetries: true,
  async generate(options, request) {
    const response = await officialClient(Client, options).images.generate({
      model: defaultModel,
      ...request,
    });
    return (response.data ?? []).map(({ b64_json }) => Buffer.from(b64_json ?? '', 'base64'));
  },
});

const aiSdk = (name: string, packages: ClientPackages, create: CreateProvider): ImageClient => ({
  name,
  marksRetries: false,
  async generate({ baseUrl, apiKey, maxRetries }, { model, ...request }) {
    const provider = create({ name: 'darkroom', baseURL: baseUrl, apiKey: apiKey ?? testKeys.acme });
    const { images } = await packages.generateImage({
      model: provider.imageModel(model ?? defaultModel),
      ...request,
      ...(maxRetries === undefined ? {} : { maxRetries }),
    });
    return images.map(({ uint8Array }) => Buffer.from(uint8Array));
  },
});

const langChain = ({ DallEAPIWrapper }: ClientPackages): ImageClient => ({
  name: 'LangChain',
  marksRetries: true,
  async generate({ baseUrl, apiKey, maxRetries }, { prompt, ...fields }) {
    const tool = new DallEAPIWrapper({ apiKey: apiKey ?? testKeys.acme, baseUrl, ...fields });
    if (maxRetries !== undefined) tool.client.maxRetries = maxRetries;
    const result = await tool.invoke(prompt);
    const urls = typeof result === 'string' ? [result] : result.map(({ image_url }) => image_url);
    return Promise.all(urls.map(download));
  },
});

/** All clients of the tests: the official SDK of this project, and those that were installed. */
export interface Clients {
  readonly all: readonly ImageClient[];
  readonly OpenAI6: typeof OpenAI;
  readonly OpenAI7: typeof OpenAI;
}

/** Installs and loads the clients. Returns `undefined` with a message on the console if npm cannot install them. */
export async function loadClients(): Promise<Clients | undefined> {
  let folder: string;
  try {
    folder = await installPackages(clientPackages);
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    console.warn(
      `skipped: the OpenAI clients in test/support/client-packages cannot be installed (${reason})`,
    );
    return undefined;
  }
  const packages: ClientPackages = await import(pathToFileURL(join(folder, 'clients.mjs')).href);
  const { OpenAI7 } = packages;
  return {
    OpenAI6: OpenAI,
    OpenAI7,
    all: [
      officialSdk('openai 6', OpenAI),
      officialSdk('openai 7', OpenAI7),
      aiSdk('AI SDK (openai)', packages, packages.createOpenAI),
      aiSdk('AI SDK (openai-compatible)', packages, packages.createOpenAICompatible),
      langChain(packages),
    ],
  };
}
