import type OpenAI from 'openai';
import { toFile } from 'openai';
import { type Edit, type EditEntry, type FieldSet, streamed } from './edit-entries.ts';
import { type Clients, officialClient } from './openai-clients.ts';
import { dataUrl } from './openai-edits.ts';
import { testKeys } from './service-environment.ts';

/** Edits by unmodified clients of the OpenAI API. */

export interface EditClient extends EditEntry {
  /** Sets of fields that the client can send. */
  readonly sets: readonly FieldSet[];
  /** Whether the client can send a markup. */
  readonly hasMarkup: boolean;
}

type Load = () => Promise<typeof OpenAI>;
const allSets: readonly FieldSet[] = ['photo', 'fidelity', 'animation', 'drawing', 'previews'];
const apiKey = testKeys.acme;
const baseUrlOf = ({ url }: { readonly url: string }) => `${url}/v1`;

/** Reads a response, or a stream of events, to its end. */
async function read(response: unknown): Promise<void> {
  if (Symbol.asyncIterator in (response as object)) for await (const _ of response as AsyncIterable<unknown>);
}

const file = (bytes: Buffer) => toFile(bytes, 'photo');

const officialForm = (name: string, load: Load): EditClient => ({
  name: `${name}, a form`,
  sets: allSets,
  hasMarkup: true,
  async send({ service }, { images, mask, markup, fields }) {
    const client = officialClient(await load(), { baseUrl: baseUrlOf(service), apiKey });
    const files = await Promise.all(images.map(file));
    const body = {
      ...streamed(fields),
      image: files.length === 1 ? files[0] : files,
      ...(mask ? { mask: await file(mask) } : {}),
      ...(markup ? { markup: await file(markup) } : {}),
    };
    await read(await client.images.edit(body as unknown as OpenAI.ImageEditParams));
  },
});

/** The official client sends an edit as JSON only by a plain request. */
const officialJson = (name: string, load: Load): EditClient => ({
  name: `${name}, JSON with files that were stored before`,
  sets: allSets,
  hasMarkup: true,
  async send({ service }, { images, mask, markup, fields }) {
    const client = officialClient(await load(), { baseUrl: baseUrlOf(service), apiKey });
    const store = async (bytes: Buffer) => ({
      file_id: (await client.files.create({ file: await file(bytes), purpose: 'vision' })).id,
    });
    const body = {
      ...streamed(fields),
      images: await Promise.all(images.map(store)),
      ...(mask ? { mask: { image_url: dataUrl(mask) } } : {}),
      ...(markup ? { markup: { image_url: dataUrl(markup) } } : {}),
    };
    await read(await client.post('/images/edits', { body, stream: fields.partial_images !== undefined }));
  },
});

const aiSdk = (clients: Clients, create: 'createOpenAI' | 'createOpenAICompatible'): EditClient => ({
  name: create === 'createOpenAI' ? 'AI SDK (openai)' : 'AI SDK (openai-compatible)',
  sets: create === 'createOpenAI' ? ['photo', 'fidelity'] : ['photo', 'fidelity', 'animation'],
  hasMarkup: create === 'createOpenAI',
  async send({ service }, { images, mask, markup, fields }) {
    const sdk = await clients.packages.AiSdk();
    const { prompt, model, size, ...others } = fields as { prompt: string; model: string; size?: string };
    const provider = sdk[create]({ name: 'darkroom', baseURL: baseUrlOf(service), apiKey });
    const options = markup ? { ...others, markup: dataUrl(markup) } : others;
    await sdk.generateImage({
      model: provider.imageModel(model),
      prompt: { text: prompt, images: [...images], ...(mask ? { mask } : {}) },
      ...(size === undefined ? {} : { size }),
      providerOptions: { openai: camelCased(options), darkroom: options },
    });
  },
});

/** Returns fields under the names of the AI SDK. */
const camelCased = (fields: Edit['fields']) =>
  Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
      value,
    ]),
  );

/** Returns every client that sends edits, with each form of request that it has. */
export const editClientsOf = (clients: Clients): readonly EditClient[] => [
  officialForm('openai 6', clients.packages.OpenAI6),
  officialForm('openai 7', clients.packages.OpenAI7),
  officialJson('openai 6', clients.packages.OpenAI6),
  officialJson('openai 7', clients.packages.OpenAI7),
  aiSdk(clients, 'createOpenAI'),
  aiSdk(clients, 'createOpenAICompatible'),
];
