import { activateFaults } from '../activate-faults.ts';
import type { ReceivedInput } from '../call-log.ts';
import type { Exchange } from '../exchange.ts';
import { generateImages, type ImageDeps } from '../generate-images.ts';
import { invalid, StudioRefusal } from '../refusals.ts';
import { decodeInputs } from './decode-inputs.ts';
import { asEdit, typedFields } from './edit-request.ts';
import { filesOfBody, filesOfForm, type InputFile } from './input-files.ts';
import type { Form } from './read-form.ts';

type Body = Readonly<Record<string, unknown>>;

/** Fields that only the JSON form of the endpoint has. */
const JSON_FIELDS = ['moderation', 'images'];

/**
 * Reads the form of POST /v1/images/edits. The fault `input-hang-up` acts as soon as the prompt arrives.
 * @throws StudioRefusal 400 if the form is malformed.
 */
export async function receiveEditForm(exchange: Exchange, deps: ImageDeps): Promise<Form> {
  const form = await exchange.readForm((name, value) => {
    if (name !== 'prompt') return;
    exchange.call.prompt = value;
    if (breaksUpload(value, exchange, deps)) exchange.hangUp();
  });
  if (form === 'malformed') throw new StudioRefusal(400, 'Could not parse the multipart form.');
  return form;
}

/** Serves POST /v1/images/edits with a form. */
export async function editWithForm(exchange: Exchange, form: Form, deps: ImageDeps): Promise<void> {
  const { prompt: _prompt, ...parameters } = form.fields;
  exchange.call.parameters = parameters;
  const unknown = JSON_FIELDS.find((name) => name in parameters);
  if (unknown !== undefined) throw invalid(unknown, 'unknown_parameter', `Unknown parameter: '${unknown}'.`);
  await edit(
    exchange,
    { fields: typedFields(form.fields), files: filesOfForm(form.files, form.fields) },
    deps,
  );
}

/** Serves POST /v1/images/edits with a JSON body, whose images are data URLs. */
export async function editWithBody(exchange: Exchange, body: Body, deps: ImageDeps): Promise<void> {
  const { images: _images, mask: _mask, ...fields } = body;
  exchange.call.prompt = typeof body.prompt === 'string' ? body.prompt : null;
  if (breaksUpload(exchange.call.prompt ?? '', exchange, deps)) return exchange.hangUp();
  await edit(exchange, { fields, files: filesOfBody(body) }, deps);
}

async function edit(
  exchange: Exchange,
  { fields, files }: { fields: Body; files: readonly InputFile[] },
  deps: ImageDeps,
): Promise<void> {
  exchange.call.inputs = describeInputs(files);
  await generateImages(exchange, asEdit(fields, await decodeInputs(files)), deps);
}

/** Returns the entries of the call log for inputs. */
export const describeInputs = (files: readonly InputFile[]): ReceivedInput[] =>
  files.map(({ param, sha256, sizeBytes }) => ({ param, sha256, sizeBytes }));

/** Returns true if the prompt or header requests that the connection closes while the inputs arrive. */
export function breaksUpload(prompt: string, exchange: Exchange, deps: Pick<ImageDeps, 'faults'>): boolean {
  return activateFaults(exchange, { kind: 'upload', prompt }, deps.faults).main !== null;
}
