import { leftHalfMask } from '../../support/edit-inputs.ts';
import { noiseImage, sha256 } from '../../support/images.ts';

/** Inputs of the edits of all scenarios, as fields of a request, and the digests that the provider must receive. */
export interface EditInputs {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly digests: readonly string[];
}

let inputs: Promise<EditInputs> | undefined;

/** Returns two images and a mask. */
export function editInputs(): Promise<EditInputs> {
  inputs ??= create();
  return inputs;
}

async function create(): Promise<EditInputs> {
  const [photo, style] = [await noiseImage(128, 96), await noiseImage(64, 64, 'jpeg')];
  const mask = await leftHalfMask(128, 96);
  const named = (bytes: Buffer) => ({ data: bytes.toString('base64') });
  return {
    fields: { images: [named(photo), named(style)], mask: named(mask) },
    digests: [photo, style, mask].map(sha256),
  };
}
